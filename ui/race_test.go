//go:build race

package ui_test

// raceDetector tells that the race detector makes everything several times slower.
const raceDetector = true
