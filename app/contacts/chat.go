package contacts

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"hongyan/app/model"
)

const (
	maxSpeakers  = 200_000 // people of a record that are remembered, to name each once
	maxSpeaker   = 400     // octets of a line that opens a message
	chatMessages = 2       // opened messages among the first that make a text a chat record
)

// The line that opens a message, as the client's export ("2024-03-01 9:00:00 name(number)") and its copy ("name(number)
// 9:00:00") have it. The name may hold brackets of its own.
var (
	reSpeaker  = regexp.MustCompile(`^\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?\s+(?:[上下]午\s*|[AP]M\s*)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AP]M)?\s+(.*?)\s*(?:\(([^()<>]+)\)|<([^<>]+)>)\s*$`)
	reCopied   = regexp.MustCompile(`^(.*?)\s*(?:\(([^()<>]+)\)|<([^<>]+)>)\s+(?:\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?\s+)?(?:[上下]午\s*|[AP]M\s*)?\d{1,2}:\d{2}:\d{2}(?:\s*[AP]M)?\s*$`)
	reChatHead = regexp.MustCompile(`^消息(?:记录|分组|对象)`)
	reTitle    = regexp.MustCompile(`^【[^】]{1,20}】`)
)

// speaker reads the line that opens a message: who speaks, and the number or address in brackets.
func speaker(s string) (name, id string, ok bool) {
	if len(s) > maxSpeaker || strings.IndexByte(s, ':') < 0 {
		return "", "", false
	}
	s = strings.TrimSpace(strings.TrimPrefix(s, bom))
	m := reSpeaker.FindStringSubmatch(s)
	if m == nil {
		m = reCopied.FindStringSubmatch(s)
	}
	if m == nil {
		return "", "", false
	}
	id = strings.TrimSpace(m[2] + m[3])
	if !isDigits(id) && !strings.Contains(id, "@") {
		return "", "", false
	}
	return cleanName(reTitle.ReplaceAllString(strings.TrimSpace(m[1]), "")), id, true
}

// isChat tells a chat record by the lines that open its messages: the first line is one, or several are.
func isChat(text string, eol byte) bool {
	n := 0
	for first := true; len(text) > 0; {
		var s string
		s, text, _ = strings.Cut(text, string(rune(eol)))
		if strings.TrimSpace(s) == "" {
			continue
		}
		_, _, ok := speaker(s)
		if ok {
			n++
		}
		if n >= chatMessages || first && (ok || reChatHead.MatchString(strings.TrimPrefix(s, bom))) {
			return true
		}
		first = false
	}
	return false
}

// readChat gives every person who speaks in a chat record or is named in it, once. What they say is no row: only
// a number or address in it that had to be refused is reported.
func readChat(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	p := &pieces{r: in, eol: r.src.eol, line: 1, buf: make([]byte, 0, 64<<10)}
	seen := map[string]struct{}{}
	for {
		s, no, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return r.src.unreadable(err)
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		if err != nil {
			continue // a message without a blank: no address is so long
		}
		if err := r.chatLine(no, s, seen); err != nil {
			return err
		}
	}
}

func (r *run) chatLine(no int, s string, seen map[string]struct{}) error {
	var hits []hit
	var misses []miss
	if name, id, ok := speaker(s); ok {
		if strings.Contains(id, "@") {
			hits, misses = scanCell(id, false)
		} else if email, reason := columnQQ(id); reason == "" {
			hits = []hit{{email: email, address: email}}
		} else if _, again := seen[id]; !again {
			misses = []miss{{text: s, reason: reason}}
			seen[id] = struct{}{}
		}
		for i := range hits {
			hits[i].name = name
		}
	} else if !reChatHead.MatchString(s) {
		hits, misses = scanTalk(s)
	}
	for _, h := range hits {
		if _, again := seen[h.email]; again {
			continue
		}
		if len(seen) < maxSpeakers {
			seen[h.email] = struct{}{}
		}
		if err := r.row(model.Row{Line: no, Email: h.email, Address: h.address, Name: h.name, NoConsent: true}); err != nil {
			return err
		}
	}
	for _, m := range misses {
		if err := r.refuse(no, m.text, m.reason, m.hint); err != nil {
			return err
		}
	}
	return nil
}

// scanTalk finds the addresses of a message, and the numbers that are said to be of QQ: people write numbers for
// many reasons.
func scanTalk(s string) ([]hit, []miss) {
	s = prepare(s)
	all, misses := scanPrepared(s)
	hits := all[:0]
	for _, h := range all {
		if strings.IndexByte(s[h.start:h.end], '@') >= 0 || reQQLabel.MatchString(s[:h.start]) {
			hits = append(hits, h)
		}
	}
	return hits, misses
}
