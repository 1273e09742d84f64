package attached

import (
	"os"
	"strings"
	"testing"
)

// Files as docker login writes them, and as Kubernetes' Secrets have them: the one that names most of the repository counts.
func TestCredentialsOf(t *testing.T) {
	const file = `{"auths": {
		"registry.example": {"auth": "YTpob3N0"},
		"https://registry.example/team": {"username": "b", "password": "pass:word"},
		"registry.example/team/app": {"identitytoken": "token", "auth": "MDAwOg=="},
		"https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldA=="},
		"other.example:5000": {"auth": "YzpwNTAwMA=="},
		"none.example": {}
	}}`
	path := t.TempDir() + "/config.json"
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	f := New(Options{Credentials: path})
	for _, row := range []struct{ host, repository, name, password string }{
		{"registry.example", "x", "a", "host"},
		{"registry.example", "teams/x", "a", "host"},
		{"registry.example", "team", "b", "pass:word"},
		{"registry.example", "team/x/y", "b", "pass:word"},
		{"registry.example", "team/app", "", "token"},
		{"registry.example:443", "x", "", ""},
		{"example", "x", "", ""},
		{"evil.registry.example", "x", "", ""},
		{"registry.example.evil", "x", "", ""},
		{"registry-1.docker.io", "library/nginx", "hub", "secret"},
		{"other.example:5000", "x", "c", "p5000"},
		{"other.example", "x", "", ""},
	} {
		if name, password, err := f.credentials(row.host, row.repository); err != nil || name != row.name || password != row.password {
			t.Errorf("%s/%s: %q, %q, %v", row.host, row.repository, name, password, err)
		}
	}
	if _, _, err := f.credentials("none.example", "x"); err == nil || !strings.Contains(err.Error(), `"none.example" has no name and password`) {
		t.Error(err)
	}
}
