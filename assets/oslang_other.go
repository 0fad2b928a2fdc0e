//go:build !windows && !darwin

package assets

func osLanguage() string { return "" }
