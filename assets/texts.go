package assets

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"sort"
	"strings"
	"sync"
)

//go:embed text/*.json
var textFiles embed.FS

// Languages are the languages that every text exists in.
var Languages = []string{"zh", "en"}

// Texts are the sentences of one language.
type Texts struct {
	lang string
	m    map[string]string
}

var load = sync.OnceValue(func() map[string]*Texts {
	all := make(map[string]*Texts, len(Languages))
	for _, lang := range Languages {
		m, err := readTexts(lang)
		if err != nil {
			// The files are embedded and tested: a fault here is a broken build.
			panic(err)
		}
		all[lang] = &Texts{lang: lang, m: m}
	}
	return all
})

// readTexts merges text/<topic>.<lang>.json; a key that stands in two topics is an error.
func readTexts(lang string) (map[string]string, error) {
	names, err := textFiles.ReadDir("text")
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, 1024)
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), "."+lang+".json") {
			continue
		}
		b, err := textFiles.ReadFile(path.Join("text", n.Name()))
		if err != nil {
			return nil, err
		}
		var part map[string]string
		if err := json.Unmarshal(b, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name(), err)
		}
		for k, v := range part {
			if _, twice := m[k]; twice {
				return nil, fmt.Errorf("%s: the key %q stands in another file too", n.Name(), k)
			}
			m[k] = v
		}
	}
	return m, nil
}

// For gives the texts of a language: "zh", "en", a tag such as "zh_CN.UTF-8", or "" to follow the system.
// A language that is not there falls back to English.
func For(lang string) *Texts {
	if lang == "" {
		lang = SystemLanguage()
	}
	lang = strings.ToLower(lang)
	for _, l := range Languages {
		if strings.HasPrefix(lang, l) {
			return load()[l]
		}
	}
	return load()["en"]
}

// SystemLanguage is the user's language, as the environment gives it (POSIX order: LANGUAGE, LC_ALL,
// LC_MESSAGES, LANG), else as the operating system does; "en" where neither says.
func SystemLanguage() string {
	for _, v := range []string{"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		s := os.Getenv(v)
		if s == "" || s == "C" || s == "POSIX" || strings.HasPrefix(s, "C.") {
			continue
		}
		return strings.SplitN(s, ":", 2)[0]
	}
	if runtime.GOOS != "linux" {
		if l := osLanguage(); l != "" {
			return l
		}
	}
	return "en"
}

// Replaced gives the same texts with what r replaces in each: for a front end whose face lacks a character, say.
func (t *Texts) Replaced(r *strings.Replacer) *Texts {
	c := &Texts{lang: t.lang, m: make(map[string]string, len(t.m))}
	for k, v := range t.m {
		c.m[k] = r.Replace(v)
	}
	return c
}

// Lang is the language of the texts.
func (t *Texts) Lang() string { return t.lang }

// Has tells whether there is a text for key.
func (t *Texts) Has(key string) bool { _, ok := t.m[key]; return ok }

// Keys lists every key, sorted.
func (t *Texts) Keys() []string {
	keys := make([]string, 0, len(t.m))
	for k := range t.m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// T gives the text of key with each {name} replaced from pairs of name and value. A missing key comes back
// as itself, so that it is seen.
func (t *Texts) T(key string, pairs ...string) string {
	s, ok := t.m[key]
	if !ok {
		return key
	}
	if len(pairs) < 2 || !strings.Contains(s, "{") {
		return s
	}
	old := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		old = append(old, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(old...).Replace(s)
}

// Pause says why a campaign is paused, from its reason and what is known besides: a code of an error, a time, or what a
// server said.
func (t *Texts) Pause(reason, detail string) string {
	if key := "pause." + reason + "." + detail; t.Has(key) {
		return t.T(key)
	}
	text := t.T("pause."+reason, "at", detail)
	if detail == "" || strings.Contains(t.m["pause."+reason], "{at}") || strings.HasPrefix(detail, "db.") {
		return text
	}
	return text + t.T("pause.detail", "detail", detail)
}

// Args gives the text of key with its arguments from a map. An argument that is a word of the program ("body",
// "list") is put in the language of the text.
func (t *Texts) Args(key string, args map[string]string) string {
	code := strings.TrimPrefix(key, "error.")
	pairs := make([]string, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, t.word(code, k, v))
	}
	return t.T(key, pairs...)
}

// word is the text of an argument's value: "arg.<code>.<argument>.<value>", or "arg.<argument>.<value>" where it
// means the same everywhere; else the value itself.
func (t *Texts) word(code, arg, value string) string {
	for _, key := range []string{"arg." + code + "." + arg + "." + value, "arg." + arg + "." + value} {
		if s, ok := t.m[key]; ok {
			return s
		}
	}
	return value
}

// coded is what a model.Error looks like from here, where its package must not be known.
type coded interface {
	error
	TextKey() (key string, args map[string]string)
}

// Error is the sentence for the person of an error: what happened and what to do. An error without a code is
// an internal one: its technical line is quoted, because the user can do nothing but pass it on.
func (t *Texts) Error(err error) string {
	if err == nil {
		return ""
	}
	var c coded
	if errors.As(err, &c) {
		if key, args := c.TextKey(); t.Has(key) {
			if of := key + "." + args["kind"]; t.Has(of) { // there is more to say of things of this kind
				key = of
			}
			return t.Args(key, args)
		}
	}
	return t.T("error.internal", "detail", err.Error())
}
