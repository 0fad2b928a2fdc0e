package postfix

import (
	"fmt"
	"os"
	"testing"

	"hongyan/e2e/ctl"
	"hongyan/e2e/mailserver"
)

// server is shared by all tests of the package, which run one after the other; each begins with an empty mailbox.
var server *mailserver.Server

func TestMain(m *testing.M) {
	code := run(m)
	ctl.Clean()
	os.Exit(code)
}

func run(m *testing.M) (code int) {
	var err error
	if server, err = mailserver.Start(mailserver.Options{MaxSize: 2 << 20}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if code != 0 {
			fmt.Fprintln(os.Stderr, server.Log())
		}
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	fmt.Println(server.Versions)
	return m.Run()
}

// fresh empties the mailbox.
func fresh(t *testing.T) {
	t.Helper()
	if err := server.Clear(); err != nil {
		t.Fatal(err)
	}
}
