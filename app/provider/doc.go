// Package provider knows the mail providers that Hongyan offers by name: where their servers are, how one logs
// in, and a pace that is safe to begin with. The data is in presets.json; the names and the way to an authorization
// code are in the language files under "provider.<key>" and "provider.<key>.help".
//
// It must know nothing of accounts that are stored, of the network, or of the window.
package provider
