package assets

import "syscall"

// osLanguage reads the primary language of the user's interface: 0x04 is Chinese (Microsoft's language
// identifiers, low ten bits).
func osLanguage() string {
	id, _, _ := syscall.NewLazyDLL("kernel32.dll").NewProc("GetUserDefaultUILanguage").Call()
	if id&0x3ff == 0x04 {
		return "zh"
	}
	return "en"
}
