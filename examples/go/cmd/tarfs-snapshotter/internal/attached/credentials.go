package attached

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// credentials are name and password for a host, of a file as docker login writes it: helpers that it names are not run.
func (f *Finder) credentials(host string) (name, password string, err error) {
	if f.options.Credentials == "" {
		return "", "", nil
	}
	data, err := os.ReadFile(f.options.Credentials)
	if err != nil {
		return "", "", fmt.Errorf("attached.credentials: %w", err)
	}
	var file struct {
		Auths map[string]struct {
			Auth string `json:"auth"`
		} `json:"auths"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return "", "", fmt.Errorf("attached.credentials: %s: %w", f.options.Credentials, err)
	}
	hosts := []string{host, "https://" + host}
	if host == "registry-1.docker.io" {
		hosts = append(hosts, "docker.io", "https://index.docker.io/v1/")
	}
	for _, host := range hosts {
		if known, ok := file.Auths[host]; ok {
			text, err := base64.StdEncoding.DecodeString(known.Auth)
			name, password, found := strings.Cut(string(text), ":")
			if err != nil || !found {
				return "", "", fmt.Errorf("attached.credentials: %s: %q has no name and password", f.options.Credentials, host)
			}
			return name, password, nil
		}
	}
	return "", "", nil
}
