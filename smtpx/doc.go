// Package smtpx is a streaming ESMTP client engine.
package smtpx
