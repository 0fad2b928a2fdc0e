package mailserver

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Letter is a letter in the mailbox.
type Letter struct {
	From string // the envelope's, from Return-Path
	To   string // the envelope's, from Delivered-To
	// Raw is the letter as it was sent, with CRLF: what the server put before it (Return-Path, X-Original-To,
	// Delivered-To, Received) is taken off.
	Raw []byte
}

// Letters reads the mailbox from its files.
func (s *Server) Letters() ([]Letter, error) {
	var all []Letter
	for _, sub := range []string{"new", "cur"} {
		err := filepath.WalkDir(filepath.Join(s.Maildir(), sub), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // Dovecot has just moved it from new to cur
			}
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			l, err := parse(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
			all = append(all, l)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Await waits until the mailbox holds n letters: Postfix says 250 when a letter is safe in its queue, a moment
// before it is delivered. More than n is an error too.
func (s *Server) Await(n int, within time.Duration) ([]Letter, error) {
	for deadline := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		all, err := s.Letters()
		if err != nil {
			return nil, err
		}
		queued, err := s.queued()
		if err != nil {
			return nil, err
		}
		if queued == 0 && len(all) >= n {
			if all, err = s.Letters(); err == nil && len(all) != n {
				err = fmt.Errorf("the mailbox holds %d letters, %d were expected", len(all), n)
			}
			return all, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("after %v the mailbox holds %d of %d letters, and %d are queued", within, len(all), n, queued)
		}
	}
}

// queued is how many letters Postfix still has to deliver.
func (s *Server) queued() (int, error) {
	n := 0
	for _, q := range []string{"incoming", "active", "deferred"} {
		err := filepath.WalkDir(filepath.Join(s.dir, "queue", q), func(_ string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Clear empties the mailbox.
func (s *Server) Clear() error {
	for _, sub := range []string{"new", "cur"} {
		files, err := os.ReadDir(filepath.Join(s.Maildir(), sub))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := os.Remove(filepath.Join(s.Maildir(), sub, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// IMAP logs in over IMAP with TLS and reads the mailbox as a mail program does.
func (s *Server) IMAP() (all []Letter, err error) {
	c, err := imapclient.DialTLS(s.Host+":"+itoa(s.IMAPS), &imapclient.Options{
		TLSConfig: &tls.Config{RootCAs: s.Cert.Pool(), ServerName: s.Host, MinVersion: tls.VersionTLS12}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.Login(User, Password).Wait(); err != nil {
		return nil, err
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	var set imap.SeqSet
	set.AddRange(1, box.NumMessages)
	got, err := c.Fetch(set, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, err
	}
	for _, m := range got {
		l, err := parse(m.FindBodySection(section))
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, c.Logout().Wait()
}

// parse takes off the fields that Postfix puts before a letter: each delivery Return-Path, X-Original-To and
// Delivered-To, and then one Received.
func parse(b []byte) (Letter, error) {
	var l Letter
	received := false
	for !received {
		end := 0 // of the field, folded lines included
		for {
			i := bytes.Index(b[end:], []byte("\r\n"))
			if i < 0 {
				return l, fmt.Errorf("a letter without Received:\n%s", b)
			}
			end += i + 2
			if end == len(b) || b[end] != ' ' && b[end] != '\t' {
				break
			}
		}
		name, value, _ := bytes.Cut(b[:end-2], []byte(":"))
		value = bytes.TrimSpace(value)
		switch string(name) {
		case "Return-Path":
			l.From = string(bytes.Trim(value, "<>"))
		case "X-Original-To":
		case "Delivered-To":
			l.To = string(value)
		case "Received":
			received = true
		default:
			return l, fmt.Errorf("unexpected field %q before Received", name)
		}
		b = b[end:]
	}
	l.Raw = b
	return l, nil
}

// Idle says whether every letter that was taken is delivered.
func (s *Server) Idle() bool {
	n, err := s.queued()
	return err == nil && n == 0
}
