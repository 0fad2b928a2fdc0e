package store

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hongyan/app/model"
)

// coded gives an error of SQLite or of the file system its code; path is the file it happened to. An error
// that has a code already keeps it.
func coded(err error, path string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*model.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return model.E(model.ECancelled, err)
	}
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		return model.E(sqliteCode(se.Code()), err, "path", path)
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return model.E(model.EDiskFull, err, "path", path)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return model.E(model.EReadOnly, err, "path", path)
	}
	return model.E(model.EInternal, err, "path", path)
}

func sqliteCode(rc int) model.Code {
	if rc == sqlite3.SQLITE_IOERR_SHMSIZE {
		return model.EDiskFull // the shared memory beside the file found no room
	}
	switch rc & 0xff {
	case sqlite3.SQLITE_FULL:
		return model.EDiskFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return model.EReadOnly
	case sqlite3.SQLITE_IOERR:
		return model.EDiskFault
	case sqlite3.SQLITE_CORRUPT:
		return model.EDamaged
	case sqlite3.SQLITE_NOTADB:
		return model.ENotOurs
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return model.ELocked
	case sqlite3.SQLITE_CANTOPEN:
		return model.EFolder
	case sqlite3.SQLITE_INTERRUPT:
		return model.ECancelled
	}
	return model.EInternal
}

// inDoubt reports whether a failed write may have reached the disk all the same, or may have left the file in
// a state that only opening it again clears: after a failed sync nothing about the file is known.
func inDoubt(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok || se.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
		return false
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// sqliteBusy reports whether another program holds the file.
func sqliteBusy(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == sqlite3.SQLITE_BUSY
}

// sqliteFull reports whether there was no room.
func sqliteFull(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == sqlite3.SQLITE_FULL
}

// taken reports whether err is a violated UNIQUE constraint.
func taken(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && (se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
