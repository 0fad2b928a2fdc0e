package mailserver

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

//go:embed conf
var conf embed.FS

// installation is where the programs of the system are, and as whom they run.
type installation struct {
	dovecot, dovecotVersion           string
	postfixVersion                    string
	daemonDir, commandDir             string
	mailOwner, setgidGroup            string
	ownerUID, ownerGID, setgidGroupID int
	uid, gid                          int // of the mailbox
}

// missing says what to do when the system lacks a package.
func missing(what string) error {
	return fmt.Errorf("the test needs Postfix and Dovecot, and %s is not installed: make test installs both, or: apt-get install postfix dovecot-core dovecot-imapd", what)
}

// find looks for both programs, which are outside of the PATH of many users.
func find() (*installation, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("the test runs a real Postfix, which starts as root only: make test uses sudo, or run it as root")
	}
	postconf, err := look("postconf")
	if err != nil {
		return nil, missing("postfix")
	}
	in := &installation{}
	if in.dovecot, err = look("dovecot"); err != nil {
		return nil, missing("dovecot-core")
	}
	if _, err := os.Stat("/usr/lib/dovecot/imap"); err != nil {
		if _, err := os.Stat("/usr/libexec/dovecot/imap"); err != nil {
			return nil, missing("dovecot-imapd")
		}
	}
	out, err := exec.Command(in.dovecot, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("dovecot --version: %w", err)
	}
	in.dovecotVersion, _, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	for name, to := range map[string]*string{"mail_version": &in.postfixVersion, "daemon_directory": &in.daemonDir,
		"command_directory": &in.commandDir, "mail_owner": &in.mailOwner, "setgid_group": &in.setgidGroup} {
		out, err := exec.Command(postconf, "-dh", name).Output()
		if err != nil {
			return nil, fmt.Errorf("postconf -dh %s: %w", name, err)
		}
		*to = strings.TrimSpace(string(out))
	}
	if in.ownerUID, in.ownerGID, err = account(in.mailOwner); err != nil {
		return nil, err
	}
	g, err := user.LookupGroup(in.setgidGroup)
	if err != nil {
		return nil, err
	}
	if in.setgidGroupID, err = strconv.Atoi(g.Gid); err != nil {
		return nil, err
	}
	in.uid, in.gid, err = account("nobody")
	return in, err
}

func look(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

func account(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(err, err2)
}

// folders makes the temporary folder as Postfix wants it. Its name is short, because a socket's path is.
func (s *Server) folders(in *installation) error {
	base := os.TempDir()
	if st, err := os.Stat(base); err != nil || st.Mode().Perm()&0o001 == 0 || len(base) > 40 {
		base = "/tmp" // the daemons are other users, and have to get there
	}
	dir, err := os.MkdirTemp(base, "hy-mail-")
	if err != nil {
		return err
	}
	s.dir = dir
	s.CAFile = filepath.Join(dir, "ca.pem")
	var all error
	mk := func(mode os.FileMode, uid, gid int, names ...string) {
		for _, name := range names {
			path := filepath.Join(dir, name)
			all = errors.Join(all, os.MkdirAll(path, 0o755), os.Chown(path, uid, gid), os.Chmod(path, mode))
		}
	}
	mk(0o755, 0, 0, ".", "postfix", "dovecot", "dovecot/state", "log", "queue", "queue/pid")
	mk(0o700, in.ownerUID, 0, "data", "queue/active", "queue/bounce", "queue/corrupt", "queue/defer", "queue/deferred",
		"queue/flush", "queue/hold", "queue/incoming", "queue/private", "queue/saved", "queue/trace")
	mk(0o730, in.ownerUID, in.setgidGroupID, "queue/maildrop")
	mk(0o710, in.ownerUID, in.setgidGroupID, "queue/public")
	mk(0o700, in.uid, in.gid, "mail", "mail/inbox", "mail/inbox/new", "mail/inbox/cur", "mail/inbox/tmp")
	return all
}

// values are what the templates are filled with.
type values struct {
	Dir, DaemonDir, CommandDir, MailOwner, SetgidGroup, Mechanisms string
	UID, GID, Submission, SMTPS, IMAPS                             int
	MaxSize                                                        int64
}

func (s *Server) configure(in *installation, o Options) error {
	chain, key, err := s.Cert.PEM()
	if err != nil {
		return err
	}
	v := values{s.dir, in.daemonDir, in.commandDir, in.mailOwner, in.setgidGroup, strings.Join(o.Mechanisms, " "),
		in.uid, in.gid, s.Submission, s.SMTPS, s.IMAPS, s.MaxSize}
	dovecot := "dovecot-2.4.conf"
	if strings.HasPrefix(in.dovecotVersion, "2.3.") {
		dovecot = "dovecot-2.3.conf"
	}
	files := map[string][]byte{
		"ca.pem":             s.Cert.CAPEM,
		"postfix/server.pem": append(append([]byte(nil), key...), chain...),
		"dovecot/cert.pem":   chain,
		"dovecot/key.pem":    key,
		// CRAM-MD5 and SCRAM need the password itself; it is nobody's.
		"dovecot/users": []byte(User + ":{PLAIN}" + Password + "\n"),
	}
	for to, from := range map[string]string{"postfix/main.cf": "main.cf", "postfix/master.cf": "master.cf", "postfix/mailboxes": "mailboxes", "dovecot/dovecot.conf": dovecot} {
		t, err := template.ParseFS(conf, "conf/"+from)
		if err != nil {
			return err
		}
		var b strings.Builder
		if err := t.Option("missingkey=error").Execute(&b, v); err != nil {
			return err
		}
		files[to] = []byte(b.String())
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
