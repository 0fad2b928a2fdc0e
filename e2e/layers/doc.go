// Package layers holds no code. Its tests keep the shape of the project: which package may know which, how long a
// file may be, and that each package says what it is for.
//
// It must not know what any package does: it reads the import graph and the files, nothing else.
package layers
