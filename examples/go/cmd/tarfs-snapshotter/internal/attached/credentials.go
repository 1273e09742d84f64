package attached

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// login is what a file says of a registry, or of a part of it: docker login writes auth and identitytoken, Kubernetes takes
// the others too.
type login struct {
	Auth          string `json:"auth"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
}

// credentials are name and password for a repository of a host; no name and a token, where the file has one. The file is as
// docker login and Kubernetes' Secrets of type kubernetes.io/dockerconfigjson have it, and is read each time, so that it may
// change: helpers that it names are not run.
func (f *Finder) credentials(host, repository string) (name, password string, err error) {
	if f.options.Credentials == "" {
		return "", "", nil
	}
	data, err := os.ReadFile(f.options.Credentials)
	if err != nil {
		return "", "", fmt.Errorf("attached.credentials: %w", err)
	}
	var file struct {
		Auths map[string]login `json:"auths"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return "", "", fmt.Errorf("attached.credentials: %s: %w", f.options.Credentials, err)
	}
	best, long := "", -1
	for key := range file.Auths {
		if place, ok := covers(key, host, repository); ok && (place > long || place == long && key < best) {
			best, long = key, place
		}
	}
	if long < 0 {
		return "", "", nil
	}
	if name, password, err = file.Auths[best].read(); err != nil {
		return "", "", fmt.Errorf("attached.credentials: %s: %q %w", f.options.Credentials, best, err)
	}
	return name, password, nil
}

// covers says whether a key of the file is about a repository of a host, and how much of its path it names.
func covers(key, host, repository string) (long int, ok bool) {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	of, path, _ := strings.Cut(key, "/")
	path = strings.TrimSuffix(path, "/")
	if path == "v1" || path == "v2" { // of the API, as old files have it
		path = ""
	}
	isHub := host == "registry-1.docker.io" && (of == "docker.io" || of == "index.docker.io")
	below := path == "" || repository == path || strings.HasPrefix(repository, path+"/")
	return len(path), (of == host || isHub) && below
}

// read is name and password, or no name and a token.
func (l login) read() (name, password string, err error) {
	switch {
	case l.IdentityToken != "":
		return "", l.IdentityToken, nil
	case l.Auth == "" && l.Username != "":
		return l.Username, l.Password, nil
	}
	text, err := base64.StdEncoding.DecodeString(l.Auth)
	name, password, found := strings.Cut(string(text), ":")
	if err != nil || !found {
		return "", "", fmt.Errorf("has no name and password")
	}
	return name, password, nil
}
