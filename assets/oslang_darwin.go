package assets

import (
	"os/exec"
	"strings"
)

// osLanguage asks the defaults database, which is where macOS keeps the language of programs that are started
// from the Finder, with no LANG in their environment.
func osLanguage() string {
	out, err := exec.Command("/usr/bin/defaults", "read", "-g", "AppleLocale").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
