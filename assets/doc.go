// Package assets holds what is embedded in the program: the texts in Chinese and English, the icon, and the
// sample letter and list.
//
// It must know nothing of the rest of the program: it turns a key and arguments into a sentence.
package assets
