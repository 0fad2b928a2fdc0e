// Package practice holds no code. Its tests run whole campaigns with hongyanctl against the practice server, in each of
// its moods and through pauses and kills, and hold what hongyanctl promises to scripts: flags in any order, exit
// codes, the shape of its JSON, and one clear sentence for each kind of bad input.
package practice
