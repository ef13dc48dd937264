package notes

import (
	"regexp"
	"slices"
	"strings"
)

// Made is an object in a table that a note has from kubectl, and who made it as
// far as its name tells: the nearest maker first. Names are given by rule, so this
// is a guess about a cluster that is not there any more.
type Made struct {
	Key    string // "pods/kube-system/etcd-minikube", where it would be stored here
	Name   string
	Makers []Maker
}

// Maker is one of them. Kinds are the kinds it may be, the likeliest first.
type Maker struct {
	Kinds []string
	Name  string
}

// The names that controllers give. Random parts have no vowels and none of 0, 1, 3
// (k8s.io/apimachinery v0.36.3, pkg/util/rand/rand.go:83). A pod of a ReplicaSet has
// the hash of its template before them: a number of which each digit is written as
// one of ten of these letters (pkg/controller/controller_utils.go:1403, rand.go:121).
var (
	ofReplicaSet  = regexp.MustCompile(`^(.+)-([4-9bcdf]{7,10})-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	ofGenerator   = regexp.MustCompile(`^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	ofStatefulSet = regexp.MustCompile(`^(.+)-\d+$`)
	ofNode        = regexp.MustCompile(`^(?:etcd|kube-apiserver|kube-controller-manager|kube-scheduler)-(.+)$`)
	ofDeployment  = regexp.MustCompile(`^(.+)-([4-9bcdf]{7,10})$`)

	columnGap = regexp.MustCompile(`[ \t]{2,}|\t`)
	upperHead = regexp.MustCompile(`^[A-Z][A-Z0-9 ()/-]*$`)
)

// tableOf takes a table of kubectl's apart; the first row names the columns.
func tableOf(lines []string) (rows [][]string) {
	for _, l := range lines {
		cells := columnGap.Split(strings.TrimSpace(l), -1)
		if len(rows) == 0 {
			if len(cells) < 2 || slices.ContainsFunc(cells, func(c string) bool { return !upperHead.MatchString(c) }) {
				continue
			}
		} else if len(cells) < 2 {
			break
		}
		rows = append(rows, cells)
	}
	return rows
}

var listed = regexp.MustCompile(`^kubectl get (?:-\S+ )*(po|pod|pods|rs|replicaset|replicasets)\b`)

// Makers says of the objects in what a command printed who made them, of those
// whose name tells it.
func (c Command) Makers() (all []Made) {
	m := listed.FindStringSubmatch(c.Run)
	rows := tableOf(c.Printed)
	if m == nil || len(rows) < 2 {
		return nil
	}
	name := slices.Index(rows[0], "NAME")
	space := slices.Index(rows[0], "NAMESPACE")
	for _, row := range rows[1:] {
		if name < 0 || name >= len(row) {
			continue
		}
		made := Made{Name: row[name]}
		ns := c.namespace()
		if space >= 0 {
			ns = row[space]
		}
		if m[1][0] == 'r' {
			made.Key, made.Makers = "apps/replicasets/"+ns+"/"+made.Name, replicaSetMakers(made.Name)
		} else {
			made.Key, made.Makers = "pods/"+ns+"/"+made.Name, podMakers(made.Name)
		}
		if len(made.Makers) > 0 {
			all = append(all, made)
		}
	}
	return all
}

func podMakers(name string) []Maker {
	if m := ofNode.FindStringSubmatch(name); m != nil {
		return []Maker{{[]string{"kubelet"}, m[1]}}
	}
	if m := ofReplicaSet.FindStringSubmatch(name); m != nil {
		return []Maker{{[]string{"replicaset"}, m[1] + "-" + m[2]}, {[]string{"deployment"}, m[1]}}
	}
	if m := ofGenerator.FindStringSubmatch(name); m != nil {
		return []Maker{{[]string{"daemonset", "job", "replicaset"}, m[1]}}
	}
	if m := ofStatefulSet.FindStringSubmatch(name); m != nil {
		return []Maker{{[]string{"statefulset"}, m[1]}}
	}
	return nil
}

func replicaSetMakers(name string) []Maker {
	if m := ofDeployment.FindStringSubmatch(name); m != nil {
		return []Maker{{[]string{"deployment"}, m[1]}}
	}
	return nil
}

// namespace is the one a command asks about.
func (c Command) namespace() string {
	words := strings.Fields(c.Run)
	for i, w := range words {
		if value, ok := strings.CutPrefix(w, "--namespace="); ok {
			return value
		}
		if (w == "-n" || w == "--namespace") && i+1 < len(words) {
			return words[i+1]
		}
	}
	return "default"
}
