package support

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"hongyan/app/model"
)

// Bundle is everything that is written. It has no place for a letter's text, a password or a person's name.
type Bundle struct {
	Made      time.Time
	System    System
	Settings  map[string]string
	Accounts  []Account
	Campaigns []Campaign
	Failures  []Failure // the latest, the newest first
	Log       []string  // the latest lines of the dialogue, the oldest first
	Crash     string    // of the latest crash; "" for none
}

// System is the program and the machine.
type System struct {
	Version  string            `json:"version"`
	OS       string            `json:"os"`
	Arch     string            `json:"arch"`
	Release  string            `json:"release,omitempty"` // of the operating system
	Go       string            `json:"go"`
	CPUs     int               `json:"cpus"`
	Made     time.Time         `json:"made"` // with its zone
	Language string            `json:"language"`
	Proxy    bool              `json:"proxy"` // one is set in the environment
	Keychain bool              `json:"keychain"`
	Folder   string            `json:"folder"`
	Files    map[string]int64  `json:"files"` // of the data folder, octets
	Modules  map[string]string `json:"modules,omitempty"`
}

// Account is an account and how it stands.
type Account struct {
	Name      string       `json:"name"`
	From      string       `json:"from"`
	Provider  string       `json:"provider"`
	Host      string       `json:"host"`
	Port      int          `json:"port"`
	TLS       string       `json:"tls"`
	User      string       `json:"user"`
	Auth      string       `json:"auth"`
	Profile   string       `json:"profile"`
	Limits    model.Limits `json:"limits"`
	CAFile    bool         `json:"ca_file"`
	Pinned    bool         `json:"pinned"`
	LegacyTLS bool         `json:"legacy_tls"`
	Plaintext bool         `json:"plaintext"`
	HasSecret bool         `json:"has_secret"`
	SentHour  int          `json:"sent_hour"`
	SentDay   int          `json:"sent_day"`
	State     string       `json:"state"`
	Until     time.Time    `json:"until,omitzero"`
	Step      string       `json:"step,omitempty"`
	Code      int          `json:"code,omitempty"`
	Enhanced  string       `json:"enhanced,omitempty"`
	Reply     string       `json:"reply,omitempty"`
}

// Campaign is a campaign without its letter.
type Campaign struct {
	Name        string         `json:"name"`
	State       string         `json:"state"`
	Reason      string         `json:"reason,omitempty"`
	Detail      string         `json:"detail,omitempty"`
	List        string         `json:"list"`
	Format      string         `json:"format"`
	Attachments int            `json:"attachments"`
	Accounts    []string       `json:"accounts"`
	Schedule    model.Schedule `json:"schedule"`
	Created     time.Time      `json:"created"`
	Started     time.Time      `json:"started,omitzero"`
	Finished    time.Time      `json:"finished,omitzero"`
	Counts      model.Counts   `json:"counts"`
}

// Failure is one attempt that did not end well.
type Failure struct {
	Campaign string    `json:"campaign"`
	To       string    `json:"to"`
	Account  string    `json:"account"`
	At       time.Time `json:"at"`
	State    string    `json:"state"`
	Step     string    `json:"step"`
	Code     int       `json:"code,omitempty"`
	Enhanced string    `json:"enhanced,omitempty"`
	Reply    string    `json:"reply"`
	Scope    string    `json:"scope"`
	Attempts int       `json:"attempts"`
	Rule     string    `json:"rule"` // by which it is explained
}

const readme = `Hongyan: a file for whoever helps you. It holds no password, no letter and no name of a recipient.
鸿雁：给帮您解决问题的人看的文件。里面没有密码、没有信件内容，也没有收件人的姓名。

summary.json    the program and the machine                          程序和电脑
settings.json   settings                                             设置
accounts.json   accounts, without passwords                          账户（不含密码）
campaigns.json  campaigns and their counts                           发送任务和统计
failures.json   the latest refusals, with what the servers said      最近的失败，以及服务器的回复
log.txt         the latest lines of the dialogue with the servers    最近与服务器的对话
crash.log       what a crash left, if there was one                  程序崩溃时的记录（如果有）

`

const (
	pseudonymous = "Addresses are replaced by pseudonyms such as user1@domain1, the same throughout.\n邮箱地址都换成了代号，例如 user1@domain1，同一地址前后一致。\n"
	plain        = "Addresses are as they are. To leave them out, choose so when you make the file.\n邮箱地址是真实的。不想给别人看的话，生成文件时可以选择隐去。\n"
)

// Write writes the bundle as a ZIP, each text of it through s.
func Write(w io.Writer, b *Bundle, s *Scrubber) error {
	z := zip.NewWriter(w)
	add := func(name string, data []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.Made})
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	}
	note := plain
	if s.noAddresses {
		note = pseudonymous
	}
	if err := add("README.txt", []byte(readme+note)); err != nil {
		return err
	}
	parts := []struct {
		name string
		v    any
	}{{"accounts.json", b.Accounts}, {"summary.json", b.System}, {"settings.json", b.Settings}, {"campaigns.json", b.Campaigns}, {"failures.json", b.Failures}}
	if s.noAddresses {
		// Once in vain: a domain that is first seen at the end is to be hidden at the beginning too.
		for _, part := range parts {
			if _, err := s.encode(part.v); err != nil {
				return err
			}
		}
		s.Text(strings.Join(append(b.Log, b.Crash), "\n"))
	}
	for _, part := range parts {
		data, err := s.encode(part.v)
		if err != nil {
			return err
		}
		if err := add(part.name, data); err != nil {
			return err
		}
	}
	if err := add("log.txt", []byte(s.Text(strings.Join(b.Log, "\n")))); err != nil {
		return err
	}
	if b.Crash != "" {
		if err := add("crash.log", []byte(s.Text(b.Crash))); err != nil {
			return err
		}
	}
	return z.Close()
}

// encode scrubs before it writes: in JSON a secret may look different.
func (s *Scrubber) encode(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s.Value(tree)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
