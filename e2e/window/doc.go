// Package window holds no code. Its test drives the real window on a virtual screen, as a person would: it starts
// bin/hongyan, pastes the path of a list, imports it, starts a campaign to the practice server, and then asks the
// database what happened. In Chinese and in English, with pictures in shots/ for a critical eye.
//
// It needs Xvfb, xdotool, xclip and ImageMagick, and fails where one is missing: make test installs them.
package window
