// Command pod reads a manifest of Kubernetes as an API server does, by the types of its API and refusing keys that they
// do not have, and prints what a kubelet tells a container runtime of the DaemonSet in it: the JSON of a sandbox and of a
// container for crictl, the files of its ConfigMaps, its probe, and the handler of the RuntimeClass.
//
//	pod FILE DIR
//
// DIR is where the ConfigMaps' files go, one directory for each, and where empty directories are made.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	node "k8s.io/api/node/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// object is JSON.
type object = map[string]any

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pod:", err)
		os.Exit(1)
	}
}

func run(path, dir string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var set apps.DaemonSet
	var class node.RuntimeClass
	var config core.ConfigMap
	for _, text := range strings.Split(string(data), "\n---\n") {
		var kind meta.TypeMeta
		if err := yaml.Unmarshal([]byte(text), &kind); err != nil {
			return err
		}
		into, known := map[string]any{
			"apps/v1 DaemonSet":           &set,
			"node.k8s.io/v1 RuntimeClass": &class,
			"v1 ConfigMap":                &config,
		}[kind.APIVersion+" "+kind.Kind]
		if !known {
			return fmt.Errorf("%s: not of a kind that is known: %s %s", path, kind.APIVersion, kind.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			return fmt.Errorf("%s: %s: %w", path, kind.Kind, err)
		}
	}
	labels, err := meta.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return err
	}
	pod := set.Spec.Template
	switch {
	case labels.Empty() || !labels.Matches(labelSet(pod.Labels)):
		return errors.New("the selector does not select the pods")
	case len(pod.Spec.Containers) != 1:
		return errors.New("not one container")
	}
	volumes, err := volumes(pod.Spec.Volumes, config, dir)
	if err != nil {
		return err
	}
	container, err := container(pod.Spec.Containers[0], volumes)
	if err != nil {
		return err
	}
	name := object{"name": set.Name, "namespace": set.Namespace, "uid": set.Name + filepath.Base(dir), "attempt": 1}
	network := 0 // of its own
	if pod.Spec.HostNetwork {
		network = 2
	}
	security := object{"namespace_options": object{"network": network}}
	return json.NewEncoder(os.Stdout).Encode(object{
		"sandbox":   object{"metadata": name, "log_directory": dir, "linux": object{"security_context": security}},
		"container": container,
		"probe":     pod.Spec.Containers[0].LivenessProbe.Exec.Command,
		"handler":   class.Handler,
	})
}

// labelSet is labels as selectors ask for them.
type labelSet map[string]string

func (l labelSet) Has(key string) bool              { _, has := l[key]; return has }
func (l labelSet) Get(key string) string            { return l[key] }
func (l labelSet) Lookup(key string) (string, bool) { value, has := l[key]; return value, has }

// volumes makes what volumes have of the node, and tells where each is.
func volumes(list []core.Volume, config core.ConfigMap, dir string) (map[string]string, error) {
	found := make(map[string]string)
	for _, volume := range list {
		path := filepath.Join(dir, volume.Name)
		switch {
		case volume.HostPath != nil:
			path = volume.HostPath.Path
			if *volume.HostPath.Type != core.HostPathDirectoryOrCreate {
				if _, err := os.Stat(path); err != nil {
					return nil, err
				}
			}
		case volume.ConfigMap != nil && volume.ConfigMap.Name == config.Name:
		case volume.EmptyDir != nil:
		case volume.Secret != nil && volume.Secret.Optional != nil && *volume.Secret.Optional: // and is not there
		default:
			return nil, fmt.Errorf("volume %s: what is that?", volume.Name)
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if volume.ConfigMap != nil {
			for name, text := range config.Data {
				if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o644); err != nil {
					return nil, err
				}
			}
		}
		found[volume.Name] = path
	}
	return found, nil
}

func container(c core.Container, volumes map[string]string) (object, error) {
	var mounts []object
	for _, mount := range c.VolumeMounts {
		from, there := volumes[mount.Name]
		if !there {
			return nil, fmt.Errorf("no volume %s", mount.Name)
		}
		propagation := 0
		if mount.MountPropagation != nil {
			propagation = map[core.MountPropagationMode]int{
				core.MountPropagationNone: 0, core.MountPropagationHostToContainer: 1, core.MountPropagationBidirectional: 2,
			}[*mount.MountPropagation]
		}
		mounts = append(mounts, object{"host_path": from, "container_path": mount.MountPath, "readonly": mount.ReadOnly, "propagation": propagation})
	}
	security := c.SecurityContext
	selinux := object{}
	if options := security.SELinuxOptions; options != nil {
		selinux = object{"user": options.User, "role": options.Role, "type": options.Type, "level": options.Level}
	}
	return object{
		"metadata": object{"name": c.Name},
		"image":    object{"image": c.Image},
		"command":  c.Command,
		"log_path": c.Name + ".log",
		"mounts":   mounts,
		"linux": object{"security_context": object{
			"run_as_user":     object{"value": *security.RunAsUser},
			"readonly_rootfs": *security.ReadOnlyRootFilesystem,
			"capabilities":    object{"add_capabilities": security.Capabilities.Add, "drop_capabilities": security.Capabilities.Drop},
			"selinux_options": selinux,
			"privileged":      security.Privileged != nil && *security.Privileged,
			// What a kubelet says where nothing is asked for.
			"seccomp":      object{"profile_type": 1},
			"masked_paths": []string{"/proc/kcore"}, "readonly_paths": []string{"/proc/sys"},
		}},
	}, nil
}
