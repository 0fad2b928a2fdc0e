package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hongyan/app/compose"
	"hongyan/smtpx"
)

// bench is hongyanctl on one data folder, and a server.
type bench struct {
	exe, dir, data string
	port           int
}

const letterText = `---
subject: 周六活动，{{name|朋友}}
---
{{name|朋友}}您好：

本周六下午三点，我们在**{{city|上海}}**的老地方聚会，谈谈这一季读过的书。请带上一本想推荐的书，写上一两句为什么推荐它。

- 时间：周六 15:00 至 17:30
- 地点：{{city|上海}}市图书馆二楼
- 请在周四之前回信，好让我们准备茶点

If you cannot come, tell us which book you would have brought; we will read from it. The list of last time stands below, with who
recommended what, so that nobody brings the same one again.

如不想再收到，请回复「退订」。
`

// fresh begins with an empty data folder.
func (b *bench) fresh(name string) error {
	b.data = filepath.Join(b.dir, name)
	return os.WriteFile(filepath.Join(b.dir, "letter.md"), []byte(letterText), 0o600)
}

// ctl calls hongyanctl.
func (b *bench) ctl(args ...string) (out []byte, c cost, err error) {
	cmd := exec.Command(b.exe, append(args, "--data", b.data)...) // #nosec G204 -- the program that is measured
	cmd.Env = append(os.Environ(), "HONGYAN_PASSPHRASE=bench")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begun := time.Now()
	err = cmd.Run()
	c.took = time.Since(begun)
	if err != nil {
		return nil, c, fmt.Errorf("hongyanctl %v: %w\n%s", args, err, stderr.String())
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.rss = int(u.Maxrss >> 10)
	}
	return stdout.Bytes(), c, nil
}

// people imports n made-up people.
func (b *bench) people(n int) (cost, error) {
	path := filepath.Join(b.dir, "people.csv")
	f, err := os.Create(path) // #nosec G304 -- ours
	if err != nil {
		return cost{}, err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "email,name,city")
	for i := range n {
		fmt.Fprintf(w, "user%d@example%d.org,示例%d,上海\n", i, i%97, i)
	}
	if err := w.Flush(); err != nil {
		return cost{}, err
	}
	if err := f.Close(); err != nil {
		return cost{}, err
	}
	_, c, err := b.ctl("import", path, "--list", "l", "--source", "made up", "--consent", "made up")
	return c, err
}

func (b *bench) account(conns int) error {
	_, _, err := b.ctl("account", "add", "--name", "a"+strconv.Itoa(conns), "--from", "desk@example.com", "--host", "127.0.0.1",
		"--port", strconv.Itoa(b.port), "--tls", "none", "--auth", "none", "--profile", "relay", "--connections", strconv.Itoa(conns))
	return err
}

func (b *bench) create(conns int, name string) (cost, error) {
	_, c, err := b.ctl("campaign", "create", "--name", name, "--list", "l", "--letter", filepath.Join(b.dir, "letter.md"), "--account", "a"+strconv.Itoa(conns))
	return c, err
}

// send runs a campaign and makes sure that all n went.
func (b *bench) send(name string, n int) (cost, error) {
	_, c, err := b.ctl("campaign", "run", name, "--quiet")
	if err != nil {
		return c, err
	}
	out, _, err := b.ctl("campaign", "status", name, "--json")
	if err != nil {
		return c, err
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var got struct{ Accepted int }
	if err := json.Unmarshal(lines[len(lines)-1], &got); err != nil {
		return c, err
	}
	if got.Accepted != n {
		return c, fmt.Errorf("%d of %d letters were accepted", got.Accepted, n)
	}
	return c, nil
}

func (b *bench) campaign(conns int, name string, n int) (cost, error) {
	if _, err := b.create(conns, name); err != nil {
		return cost{}, err
	}
	return b.send(name, n)
}

// letter is a message of the campaign as it goes over the wire.
func (b *bench) letter() ([]byte, error) {
	l, err := compose.ParseLetter("letter.md", []byte(letterText))
	if err != nil {
		return nil, err
	}
	c, err := compose.Compile(l, compose.Options{})
	if err != nil {
		return nil, err
	}
	m, err := c.Message(compose.Recipient{Email: "user1000@example10.org", Name: "示例1000", Fields: map[string]string{"city": "上海"}},
		compose.Envelope{From: "desk@example.com", Date: time.Now(), MessageID: compose.MessageID("5eed", "user1000@example10.org", "example.com")})
	if err != nil {
		return nil, err
	}
	defer m.Release()
	var raw bytes.Buffer
	_, err = m.WriteTo(&raw)
	return raw.Bytes(), err
}

// bare sends n letters of the same octets over conns sessions, and gives letters a second.
func (b *bench) bare(raw []byte, conns, n int) (float64, error) {
	from, err := smtpx.ParseAddress("desk@example.com")
	if err != nil {
		return 0, err
	}
	to, err := smtpx.ParseAddress("user1000@example10.org")
	if err != nil {
		return 0, err
	}
	src := &ready{left: int64(n), tx: func(done func(smtpx.Result)) *smtpx.Transaction {
		return &smtpx.Transaction{From: from, To: []smtpx.Address{to}, Size: int64(len(raw)), Done: done,
			Body: func(w io.Writer) error { _, err := w.Write(raw); return err }}
	}}
	errs := make([]error, conns)
	var wg sync.WaitGroup
	begun := time.Now()
	for i := range conns {
		wg.Go(func() {
			s, err := smtpx.Dial(context.Background(), &smtpx.Config{Host: "127.0.0.1", Port: b.port, TLS: smtpx.TLSNone, Overlap: true, ChunkWindow: 1})
			if err != nil {
				errs[i] = err
				return
			}
			errs[i] = s.Run(context.Background(), src)
			_ = s.Close()
		})
	}
	wg.Wait()
	took := time.Since(begun)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	if got := src.accepted.Load(); got != int64(n) {
		return 0, fmt.Errorf("the bare engine had %d of %d letters accepted", got, n)
	}
	return float64(n) / took.Seconds(), nil
}

// ready hands out letters to several sessions.
type ready struct {
	mu       sync.Mutex
	left     int64
	accepted atomic.Int64
	tx       func(func(smtpx.Result)) *smtpx.Transaction
}

func (r *ready) Next(context.Context, bool) (*smtpx.Transaction, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 {
		return nil, io.EOF
	}
	r.left--
	return r.tx(func(res smtpx.Result) {
		if res.Outcomes[0].Status == smtpx.Accepted {
			r.accepted.Add(1)
		}
	}), nil
}
