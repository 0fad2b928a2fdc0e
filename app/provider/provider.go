package provider

import (
	_ "embed" // the presets
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

//go:embed presets.json
var presetData []byte

type entry struct {
	Key     string           `json:"key"`
	Domains []string         `json:"domains"`
	Host    string           `json:"host"`
	Port    int              `json:"port"`
	TLS     model.TLSMode    `json:"tls"`
	Auth    []model.AuthKind `json:"auth"`
	URL     string           `json:"url"`
	Limits  struct {
		Connections int      `json:"connections"`
		Minute      int      `json:"minute"`
		Hour        int      `json:"hour"`
		Day         int      `json:"day"`
		Session     int      `json:"session"`
		Gap         []string `json:"gap"` // least and most
	} `json:"limits"`
}

var presets = mustRead()

func mustRead() []model.Preset {
	ps, err := read(presetData)
	if err != nil {
		panic("provider: " + err.Error()) // the file is part of the build
	}
	return ps
}

func read(data []byte) ([]model.Preset, error) {
	var entries []entry
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	out := make([]model.Preset, 0, len(entries))
	for _, e := range entries {
		p := model.Preset{Key: e.Key, Domains: e.Domains, Host: e.Host, Port: e.Port, TLS: e.TLS, Auth: e.Auth, HelpURL: e.URL,
			Limits: model.Limits{Connections: e.Limits.Connections, PerMinute: e.Limits.Minute, PerHour: e.Limits.Hour,
				PerDay: e.Limits.Day, PerSession: e.Limits.Session}}
		if g := e.Limits.Gap; len(g) == 2 {
			var err1, err2 error
			p.Limits.GapMin, err1 = time.ParseDuration(g[0])
			p.Limits.GapMax, err2 = time.ParseDuration(g[1])
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("%s: gap %v", e.Key, g)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// All gives the presets in the order they are offered in; the caller owns the slice.
func All() []model.Preset {
	out := make([]model.Preset, len(presets))
	for i, p := range presets {
		out[i] = own(p)
	}
	return out
}

func own(p model.Preset) model.Preset {
	p.Domains, p.Auth = slices.Clone(p.Domains), slices.Clone(p.Auth)
	return p
}

// ByKey finds a preset by its key.
func ByKey(key string) (model.Preset, bool) {
	return find(func(p model.Preset) bool { return p.Key == key })
}

// ForAddress finds the preset that an address belongs to by its domain.
func ForAddress(email string) (model.Preset, bool) {
	domain := strings.ToLower(strings.TrimSpace(email[strings.LastIndexByte(email, '@')+1:]))
	return find(func(p model.Preset) bool {
		return slices.Contains(p.Domains, domain) ||
			p.Key == "microsoft365" && strings.HasSuffix(domain, ".onmicrosoft.com")
	})
}

// ForHost finds the preset whose server host is, so that a free form that names smtp.qq.com is still
// understood as QQ. SES has a host in each region.
func ForHost(host string) (model.Preset, bool) {
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(host), "."))
	return find(func(p model.Preset) bool {
		if p.Key == "practice" || p.Host == "" {
			return false
		}
		return p.Host == host ||
			p.Key == "ses" && strings.HasPrefix(host, "email-smtp.") && strings.HasSuffix(host, ".amazonaws.com") ||
			p.Key == "zoho" && (strings.HasPrefix(host, "smtp.zoho.") || strings.HasPrefix(host, "smtppro.zoho.")) ||
			p.Key == "exmail" && host == "hwsmtp.exmail.qq.com"
	})
}

func find(f func(model.Preset) bool) (model.Preset, bool) {
	if i := slices.IndexFunc(presets, f); i >= 0 {
		return own(presets[i]), true
	}
	return model.Preset{}, false
}
