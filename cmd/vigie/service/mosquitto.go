package service

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
)

// WriteMosquitto writes the files passwords and acl into a folder, for the broker outside
// of the configuration, and returns the devices that are left out, see registry.Mosquitto.
func (t *Tools) WriteMosquitto(ctx context.Context, folder string) (left []string, err error) {
	return writeMosquitto(ctx, t.Registry, t.config, folder)
}

func writeMosquitto(ctx context.Context, from registry.Store, c config.Config, folder string) (left []string, err error) {
	const part = 10_000
	var devices []registry.Device
	for after := ""; ; {
		list, err := from.Devices(ctx, after, part)
		if err != nil {
			return nil, fmt.Errorf("write the files of Mosquitto: %w", err)
		}
		devices = append(devices, list...)
		if len(list) < part {
			break
		}
		after = list[len(list)-1].Name
	}
	outside := c.Broker.Outside
	password, secret := string(outside.Password), ""
	if outside.PasswordFile != "" {
		text, err := os.ReadFile(outside.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read broker.outside.password_file: %w", err)
		}
		password = strings.TrimSpace(string(text))
	}
	if password != "" {
		secret = registry.HashSecret(password)
	}
	files := registry.MosquittoOf(devices, c.Topics.Prefix, outside.User, secret)
	if err := disk.Make(folder); err != nil {
		return nil, fmt.Errorf("make the folder for Mosquitto's files: %w", err)
	}
	for name, text := range map[string]string{"acl": files.ACL, "passwords": files.Passwords} {
		if err := disk.Write(filepath.Join(folder, name), []byte(text)); err != nil {
			return nil, fmt.Errorf("write the file %s of Mosquitto: %w", name, err)
		}
	}
	return files.Left, nil
}

// keepMosquitto keeps the files of Mosquitto written, whenever the registry has changed.
// Each node writes its own.
func (s *Service) keepMosquitto(ctx context.Context) {
	folder := s.Config.Broker.Outside.Mosquitto
	if folder == "" {
		return
	}
	written := int64(-1)
	write := func(ctx context.Context) error {
		version, err := s.backend.registry.RegistryVersion(ctx)
		if err != nil || version == written {
			return err
		}
		left, err := writeMosquitto(ctx, s.backend.registry, s.Config, folder)
		if err != nil {
			return err
		}
		if len(left) > 0 && written < 0 {
			s.Log.Warn("the broker outside does not know devices whose password an earlier Vigie set: vigie registry export --mosquitto lists them", "count", len(left))
		}
		written = version
		return nil
	}
	wake := time.NewTicker(everySecond)
	defer wake.Stop()
	for {
		s.sweep(ctx, "mosquitto", write)
		select {
		case <-wake.C:
		case <-ctx.Done():
			return
		}
	}
}
