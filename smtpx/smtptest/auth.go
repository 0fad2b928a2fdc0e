package smtptest

import (
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// auth answers AUTH, RFC 4954. It is false when the connection is to end.
func (ss *session) auth(arg string) bool {
	mech, initial, _ := strings.Cut(arg, " ")
	switch {
	case !ss.hello || ss.authed || ss.mail:
		ss.reply("503 5.5.1 Not now")
		return true
	case !ss.may():
		ss.reply("530 5.7.0 Must issue a STARTTLS command first")
		return true
	case ss.s.opts.NoAuth:
		ss.reply("502 5.5.1 Not offered")
		return true
	}
	var user, password string
	var ok bool
	var err error
	switch strings.ToUpper(mech) {
	case "PLAIN":
		var s string
		if s, ok, err = ss.answer("334 ", initial); ok && err == nil {
			parts := strings.Split(s, "\x00") // RFC 4616 §2: authorization identity, user, password
			if ok = len(parts) == 3; ok {
				user, password = parts[1], parts[2]
			}
		}
	case "LOGIN":
		if user, ok, err = ss.answer("334 VXNlcm5hbWU6", initial); ok && err == nil {
			password, ok, err = ss.answer("334 UGFzc3dvcmQ6", "")
		}
	default:
		ss.reply("504 5.5.4 Unrecognized authentication type")
		return true
	}
	if err != nil {
		return false
	}
	want := ss.s.opts.Password
	right := want == "" && password != "" || want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
	switch {
	case !ok:
		ss.reply("501 5.5.2 Cannot decode the answer")
	case user == "" || !right:
		ss.reply("535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256")
	default:
		ss.authed = true
		ss.reply("235 2.7.0 Authentication successful")
	}
	return true
}

// answer is the client's answer to a challenge, or its initial response if there was one ("=" is an empty one). ok is
// false when it is no base64 or a cancellation.
func (ss *session) answer(challenge, initial string) (answer string, ok bool, err error) {
	switch initial {
	case "":
		ss.reply(challenge)
		if initial, err = ss.readCommand(); err != nil {
			return "", false, err
		}
	case "=":
		initial = ""
	}
	raw, bad := base64.StdEncoding.DecodeString(initial)
	return string(raw), bad == nil, nil
}
