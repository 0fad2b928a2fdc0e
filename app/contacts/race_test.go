//go:build race

package contacts

const gigabyte = 1 << 26
