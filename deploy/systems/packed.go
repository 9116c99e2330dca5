package systems

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// texts are the files that a released program brings packed. Whoever embeds them reads them
// through document.Packed.
const texts = "protocols/library/*.yaml"

// Packed writes these files, packed, into a folder, and returns the flag that makes the
// toolchain embed them in the place of those of the checkout, which is the current folder.
func Packed(folder string) (flag string, err error) {
	names, err := filepath.Glob(filepath.FromSlash(texts))
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		packed, err := pack(content)
		if err != nil {
			return "", fmt.Errorf("pack %s: %w", name, err)
		}
		to := filepath.Join(folder, filepath.Base(name)+".gz")
		if err := os.WriteFile(to, packed, 0o644); err != nil {
			return "", err
		}
		replaced[name] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(folder, "packed.json")
	return "-overlay=" + overlay, os.WriteFile(overlay, list, 0o644)
}

// pack packs the same content into the same bytes.
func pack(content []byte) ([]byte, error) {
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
