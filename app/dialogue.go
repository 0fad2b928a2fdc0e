package app

import (
	"strings"

	"hongyan/app/livelog"
	"hongyan/app/model"
)

// dialogueLines bounds what a Dialogue gives.
const dialogueLines = 200

// Dialogue is what was said with the server about a delivery, with how that session began, as far as the log still
// has it. Where nothing was said about it, because the account did not get that far, it is empty.
func (a *App) Dialogue(d model.Delivery) []livelog.Line {
	all, session := a.sessions()
	about := map[int]bool{}
	for i, l := range all {
		if l.Letter == d.ID {
			about[session[i]] = true
		}
	}
	var out []livelog.Line
	for i, l := range all {
		if about[session[i]] && (l.Letter == d.ID || l.Letter == 0) {
			out = append(out, l)
		}
	}
	return out[max(0, len(out)-dialogueLines):]
}

// AccountDialogue is what was said in the latest session of an account, as far as the log still has it.
func (a *App) AccountDialogue(accountID int64) []livelog.Line {
	all, session := a.sessions()
	latest := -1
	for i, l := range all {
		if l.Account == accountID {
			latest = session[i]
		}
	}
	var out []livelog.Line
	for i, l := range all {
		if session[i] == latest {
			out = append(out, l)
		}
	}
	return out[max(0, len(out)-dialogueLines):]
}

// sessions gives the lines of the log, and for each the number of its session: an account uses the number of a
// connection again after it has connected anew.
func (a *App) sessions() (lines []livelog.Line, session []int) {
	lines, _ = a.log.Since(0, livelog.DefaultLines)
	type conn struct{ account, n int64 }
	at, next := map[conn]int{}, 0
	session = make([]int, len(lines))
	for i, l := range lines {
		k := conn{l.Account, l.Conn}
		if _, known := at[k]; !known || l.Kind == livelog.Note && strings.HasPrefix(l.Text, "TCP ") {
			at[k] = next
			next++
		}
		session[i] = at[k]
	}
	return lines, session
}
