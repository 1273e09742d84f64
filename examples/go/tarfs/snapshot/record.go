package snapshot

import (
	"os"
	"strings"
)

const recordSuffix = ".json"

// snapshotRecord says that a snapshot is ready. It is the file snapshots/ID.json.
type snapshotRecord struct {
	// Layer is the layer's diffID in hex.
	Layer string `json:"layer"`
	// Digest is that of the blob it was fetched by.
	Digest string `json:"digest"`
	Ref    string `json:"ref,omitempty"`
}

// mountRecord says that an image is mounted. It is the file mounts/ID.json.
type mountRecord struct {
	// Layers are the image's diffIDs in hex, the lowest first.
	Layers []string `json:"layers"`
}

func (s *store) recordPath(dir, id string) string { return s.Path(dir, id+recordSuffix) }

// records lists the IDs that have a record in a directory.
func (s *store) records(dir string) ([]string, error) {
	entries, err := os.ReadDir(s.Path(dir))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if id, ok := strings.CutSuffix(entry.Name(), recordSuffix); ok && checkID(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
