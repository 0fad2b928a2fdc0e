// Package oauth signs a user in with a mail provider instead of a password: the authorization code flow with PKCE
// on a loopback redirect (RFC 6749, RFC 7636, RFC 8252), the device flow (RFC 8628), and the renewal of access
// tokens while a campaign runs. What must be kept is a [Grant]; it holds secrets, and where it is kept is the
// caller's to say. Access tokens live in memory only. No token, code or client secret ever stands in an error.
//
// It must not know the store, the window, or SMTP.
package oauth
