//go:build unix

package store

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

// lockFile takes the lock of a folder for as long as the file is open; held is true when another process has
// it. The system drops the lock when the process ends, however it ends.
func lockFile(path string) (f *os.File, held bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user's own data folder
	if err != nil {
		return nil, false, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, errors.Is(err, syscall.EWOULDBLOCK), err
	}
	return f, false, nil
}

// fileIdentity tells a file from a copy of it, on one machine: its inode.
func fileIdentity(path string) (string, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	return strconv.FormatUint(st.Ino, 16), nil
}

// syncDir makes a rename in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path) //nolint:gosec // the user's own data folder
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// ownFile reports whether a file is of this user.
func ownFile(fi os.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
