//go:build windows

package store

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

const errSharingViolation = syscall.Errno(32)

// lockFile takes the lock of a folder for as long as the file is open, by sharing it with nobody; held is true
// when another process has it. The system drops the lock when the process ends, however it ends.
func lockFile(path string) (f *os.File, held bool, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, false, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, errors.Is(err, errSharingViolation), err
	}
	return os.NewFile(uintptr(h), path), false, nil
}

// fileIdentity tells a file from a copy of it, on one machine: its number on its volume.
func fileIdentity(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &info); err != nil {
		return "", err
	}
	return strconv.FormatUint(uint64(info.FileIndexHigh)<<32|uint64(info.FileIndexLow), 16), nil
}

// syncDir does nothing: NTFS journals renames, and folders cannot be flushed.
func syncDir(string) error { return nil }

// ownFile reports whether a file is of this user: its folder for temporary files is nobody else's.
func ownFile(os.FileInfo) bool { return true }
