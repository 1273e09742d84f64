package attached

import (
	"maps"
	"net"
	"slices"
	"strings"
)

// addSources adds the repositories that an image came from, as the labels of its manifest say them.
func (f *Finder) addSources(i *image, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if host, ok := strings.CutPrefix(name, labelSource); ok {
			for repository := range strings.SplitSeq(value, ",") {
				for _, host := range f.hostsOf(host) {
					f.add(i, host+"/"+repository)
				}
			}
		}
	}
}

// add adds a repository to those of an image that are asked, or to those that are not.
func (f *Finder) add(i *image, source string) {
	below := func(believed string) bool {
		believed = strings.TrimSuffix(believed, "/")
		return source == believed || strings.HasPrefix(source, believed+"/")
	}
	if all := f.options.Repositories; len(all) == 0 || slices.ContainsFunc(all, below) {
		i.sources = append(i.sources, source)
		return
	}
	i.others = append(i.others, source)
}

// hostsOf are those that a label may mean, which leaves ports out: the registries that are known by a port, or the host.
func (f *Finder) hostsOf(host string) (hosts []string) {
	for _, known := range f.options.Registries {
		if name, _, err := net.SplitHostPort(known); err == nil && name == host {
			hosts = append(hosts, known)
		}
	}
	if len(hosts) == 0 {
		return []string{host}
	}
	return hosts
}
