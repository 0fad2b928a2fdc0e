//go:build linux

package awake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hongyan/app/awake"
)

// tool puts a systemd-inhibit of ours first in the path, which notes its arguments, runs what it was given and notes that
// it ended.
func tool(t *testing.T, script string) (log string) {
	t.Helper()
	dir := t.TempDir()
	log = filepath.Join(dir, "log")
	if err := os.WriteFile(filepath.Join(dir, "systemd-inhibit"), []byte("#!/bin/sh\nlog="+log+"\n"+script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return log
}

func wait(t *testing.T, log, want string) {
	t.Helper()
	var b []byte
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, _ = os.ReadFile(log); strings.Contains(string(b), want) {
			return
		}
	}
	t.Fatalf("%q is not in %q", want, b)
}

func TestHold(t *testing.T) {
	log := tool(t, `echo "$@" >>$log; while [ "${1#--}" != "$1" ]; do shift; done; "$@"; echo ended >>$log`)
	release := awake.Hold("letters leave")
	wait(t, log, "--what=idle --mode=block --who=Hongyan --why=letters leave cat\n")
	time.Sleep(20 * time.Millisecond) // time in which it could end by mistake
	if b, _ := os.ReadFile(log); strings.Contains(string(b), "ended") {
		t.Error("it was let go at once")
	}
	release()
	wait(t, log, "ended")
	release()
}

// A tool that refuses, or does not end, or is not there, does no harm.
func TestHoldWithoutHelp(t *testing.T) {
	tool(t, "exit 1")
	awake.Hold("x")()
	tool(t, "exec sleep 60")
	began := time.Now()
	awake.Hold("x")()
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("letting go took %v", d)
	}
	t.Setenv("PATH", t.TempDir())
	awake.Hold("x")()
}
