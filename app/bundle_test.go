package app_test

import (
	"archive/zip"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// bundle writes a support bundle and gives all that it holds, by name.
func (r *rig) bundle(o app.SupportOptions) map[string]string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "support.zip")
	if err := r.SupportBundle(r.t.Context(), path, o); err != nil {
		r.t.Fatal(err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer z.Close()
	files := map[string]string{}
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			r.t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			r.t.Fatal(err)
		}
		_ = rc.Close()
		files[f.Name] = string(b)
	}
	return files
}

// seen lists the ways in which a secret may be seen in a file.
func seen(secret string) []string {
	var quoted strings.Builder
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(secret)
	html, _ := json.Marshal(secret)
	all := []string{secret, quoted.String()[1 : quoted.Len()-2], string(html[1 : len(html)-1]), url.QueryEscape(secret)}
	for skip := range 3 { // in base64, by its distance from the start of a group
		enc := base64.RawStdEncoding.EncodeToString([]byte("xxx"[:skip] + secret))
		if (skip+len(secret))%3 != 0 {
			enc = enc[:len(enc)-1]
		}
		all = append(all, enc[(skip*8+5)/6:])
	}
	return all
}

// TestSupportBundle: a whole run with a password and a sign-in, refusals and a crash, then every secret is looked for in
// everything that is written, and by choice every address.
func TestSupportBundle(t *testing.T) {
	t.Parallel()
	const password = `Pa55 "wörd"\<&密码>`
	r := newSignInRig(t, "XOAUTH2")
	r.signIn()
	r.auth.Spoil() // so that the log has a refused token and a renewal
	srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, RequireAuth: true, Password: password, Mood: smtptest.RefuseTenth, Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	own := &model.Account{Name: "Own " + password, From: "Chef@buecher-laden.de", User: "chef@buecher-laden.de", Host: "127.0.0.1", Port: srv.Port(), TLS: model.TLSNone, Auth: model.AuthPassword}
	if err := r.SaveAccount(t.Context(), own, password, true); err != nil {
		t.Fatal(err)
	}
	r.send(r.campaign("By token to friends", r.people("friends", 3), r.acct.ID))
	camp := r.campaign("By password "+password, r.people("readers", 23), own.ID)
	r.send(camp)
	rejected, err := r.Deliveries(t.Context(), model.DeliveryQuery{CampaignID: 2, States: []model.State{model.Rejected, model.Deferred}})
	if err != nil || len(rejected) < 2 {
		t.Fatalf("%d refusals: %v", len(rejected), err)
	}
	crash := "panic: " + password + " of Chef@buecher-laden.de " + base64.StdEncoding.EncodeToString([]byte("\x00chef@buecher-laden.de\x00"+password)) +
		"\ntoken " + r.auth.Issued()[2] + " of stray.person@nirgends.org, 203.0.113.77"
	if err := os.WriteFile(filepath.Join(r.dir, "crash.log"), []byte(crash), 0o600); err != nil {
		t.Fatal(err)
	}
	addresses := []string{"desk@example.com", "chef@buecher-laden.de", "stray.person@nirgends.org", "buecher-laden.de"}
	for _, d := range rejected {
		addresses = append(addresses, d.Address)
	}
	secrets := append(r.auth.Issued(), password, "c1ient secret+/=&")

	for _, hide := range []bool{false, true} {
		files := r.bundle(app.SupportOptions{NoAddresses: hide})
		for _, name := range []string{"README.txt", "summary.json", "settings.json", "accounts.json", "campaigns.json", "failures.json", "log.txt", "crash.log"} {
			if files[name] == "" {
				t.Errorf("%s is not there, or empty", name)
			}
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(files[name])) {
				t.Errorf("%s is not JSON", name)
			}
		}
		for name, text := range files {
			for _, secret := range secrets {
				for _, form := range seen(secret) {
					if strings.Contains(text, form) {
						t.Errorf("hide %v: %s shows %q", hide, name, form)
					}
				}
			}
			for _, a := range addresses {
				if hide && strings.Contains(strings.ToLower(text), strings.ToLower(a)) {
					t.Errorf("%s shows %s", name, a)
				}
			}
		}
		if !hide && (!strings.Contains(files["failures.json"], rejected[0].Address) || !strings.Contains(files["log.txt"], rejected[0].Address)) {
			t.Error("without the choice the addresses are not there")
		}
		if strings.Contains(files["log.txt"], "Subject:") || strings.Contains(files["campaigns.json"], "周六活动") {
			t.Error("the letter is there")
		}
		if !strings.Contains(files["log.txt"], "AUTH PLAIN ****") || !strings.Contains(files["log.txt"], "AUTH XOAUTH2 ****") {
			t.Error("the logins are not in the log")
		}
	}

	// One can still follow what happened to whom.
	files := r.bundle(app.SupportOptions{NoAddresses: true})
	var failures []struct{ To, Reply, Rule string }
	if err := json.Unmarshal([]byte(files["failures.json"]), &failures); err != nil || len(failures) != len(rejected) {
		t.Fatalf("%d failures: %v", len(failures), err)
	}
	for _, f := range failures {
		if !regexp.MustCompile(`^user\d+@domain\d+$`).MatchString(f.To) || !strings.Contains(files["log.txt"], "RCPT TO:<"+f.To+">") || f.Rule == "" || f.Reply == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestSupportBundleOfNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if files := r.bundle(app.SupportOptions{}); files["crash.log"] != "" || !strings.Contains(files["summary.json"], `"version": "test"`) {
		t.Errorf("%v", files)
	}
	if err := r.SupportBundle(t.Context(), filepath.Join(r.dir, "no", "folder.zip"), app.SupportOptions{}); model.CodeOf(err) != model.EFileUnwritable {
		t.Errorf("no folder: %v", err)
	}
}
