package practice

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hongyan/e2e/ctl"
	"hongyan/smtpx/smtptest"
)

func TestFlagsStandInAnyOrder(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	people(t, c, 2)
	list := c.File("more.txt", "q@example.com\n")
	for _, args := range [][]string{
		{"import", list, "--list", "people", "--source", "s", "--consent", "c", "--data", c.Data},
		{"import", "--consent", "c", "--source", "s", list, "--data", c.Data, "--list", "people"},
		{"--data", c.Data, "import", "--consent=c", "--source=s", "--list=people", list},
		{"list", "--data", c.Data, "show", "people"},
		{"list", "show", "--limit", "1", "--data", c.Data, "people", "--json"},
		{"--json", "list", "--data", c.Data},
		{"account", "--data", c.Data, "list"},
		{"export", "--to", filepath.Join(c.Data, "out.csv"), "--data", c.Data, "people"},
	} {
		c.StartRaw("", args...).Wait().Want(ctl.Done)
	}
	if n := len(c.Contacts("people")); n != 3 {
		t.Errorf("%d people", n)
	}
}

func TestShapesOfJSON(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 2)
	c.Run(send(c)...).Want(ctl.Done)
	// Keys are promised to scripts: each line has these and no other.
	for _, shape := range []struct {
		args []string
		keys string
	}{
		{[]string{"campaign", "status", "c"}, "accepted attempting campaign deferred queued rejected skipped state total unknown"},
		{[]string{"account", "list"}, "from has_secret host name port profile provider sent_day sent_hour state tls user"},
		{[]string{"list"}, "count list"},
		{[]string{"list", "show", "people", "--limit", "1"}, "address consent email name source"},
		{[]string{"export", "people", "--to", filepath.Join(c.Data, "x.csv")}, "exported file list"},
		{[]string{"report", "c", "--to", filepath.Join(c.Data, "x.html")}, "report"},
		{[]string{"import", c.File("two.txt", "a@example.com\n"), "--list", "two", "--source", "s", "--consent", "c", "--dry-run"}, "added charset duplicate invalid read seconds suppressed updated"},
		{[]string{"version"}, "version"},
	} {
		r := c.Run(append(shape.args, "--json")...).Want(ctl.Done)
		var got map[string]any
		if err := json.Unmarshal([]byte(r.Out), &got); err != nil || strings.Count(r.Out, "\n") != 1 {
			t.Errorf("%v: %v: %s", shape.args, err, r.Out)
			continue
		}
		var missing []string
		for _, k := range strings.Fields(shape.keys) {
			if _, ok := got[k]; !ok {
				missing = append(missing, k)
			}
			delete(got, k)
		}
		if len(missing) > 0 || len(got) > 0 {
			t.Errorf("%v: %v are missing, %v are new: %s", shape.args, missing, got, r.Out)
		}
	}
	if n := len(c.Contacts("people")); n != 2 || c.Run("list", "show", "two").Code != ctl.Usage {
		t.Errorf("%d people; a dry run made a list", n)
	}
}

func TestAccountsComeAndGo(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	const secret = "授权码 0123456789"
	c.RunIn(secret+"\n", "account", "add", "--from", "12345@qq.com", "--password-stdin").Want(ctl.Done)
	r := c.Run("account", "list", "--json").Want(ctl.Done)
	var a struct {
		Name, Provider, Host, TLS, User, State string
		Port                                   int
		Secret                                 bool `json:"has_secret"`
	}
	if err := json.Unmarshal([]byte(r.Out), &a); err != nil || a.Provider != "qq" || a.Host != "smtp.qq.com" || a.Port != 465 || a.TLS != "implicit" || !a.Secret || a.State != "fit" {
		t.Errorf("%+v, %v", a, err)
	}
	err := filepath.WalkDir(c.Data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), secret) {
			t.Errorf("%s holds the password as it is", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Run("account", "remove", a.Name).Want(ctl.Done)
	if r := c.Run("account", "list", "--json").Want(ctl.Done); r.Out != "" {
		t.Errorf("%s", r.Out)
	}
	c.Run("account", "remove", a.Name).Want(ctl.Usage)
}

func TestHelp(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	for _, lang := range []string{"zh_CN.UTF-8", "en_US.UTF-8"} {
		c.Env = append(c.Env, "LANG="+lang)
		r := c.StartRaw("", "help").Wait().Want(ctl.Done)
		for _, verb := range []string{"account add", "import", "list show", "export", "campaign create", "campaign run", "campaign pause", "campaign status", "campaign retry", "send", "report", "practice", "version"} {
			if !strings.Contains(r.Out, "hongyanctl "+verb) {
				t.Errorf("%s: help does not name %q", lang, verb)
			}
		}
		if han(r.Out) != (lang == "zh_CN.UTF-8") && !strings.Contains(r.Out, "鸿雁") {
			t.Errorf("%s:\n%s", lang, r.Out)
		}
	}
	if r := c.StartRaw("", "send", "--help").Wait().Want(ctl.Done); !strings.Contains(r.Out, "-letter") {
		t.Errorf("%s", r.Out)
	}
	c.StartRaw("").Wait().Want(ctl.Usage)
}
