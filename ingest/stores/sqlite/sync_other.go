//go:build !linux

package sqlite

// syncData is for Linux: elsewhere SQLite syncs files as it does.
func syncData() error { return nil }
