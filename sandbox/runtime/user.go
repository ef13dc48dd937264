package runtime

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/kubestage/kubestage/sandbox/runtime/program"
	"github.com/kubestage/kubestage/sandbox/runtime/rootfs"
)

// user works out who a container's processes are: what the spec says, and
// where it says nothing, the image. A name is looked up among the image's accounts.
func (k *container) user() (program.User, error) {
	c := k.config.GetLinux().GetSecurityContext()
	accounts := k.image.recipe.accounts
	u := program.User{UID: c.GetRunAsUser().GetValue()}
	var known func(a account) bool
	switch name := c.GetRunAsUsername(); {
	case c.GetRunAsUser() != nil:
		known = func(a account) bool { return a.uid == u.UID }
	case name != "" && name != "root":
		known = func(a account) bool { return a.name == name }
	case name == "":
		uid, gid, _ := k.image.recipe.runsAs()
		u.UID, u.GID = uid, gid
		known = func(a account) bool { return a.uid == uid }
	default:
		known = func(account) bool { return false }
	}
	if i := slices.IndexFunc(accounts, known); i >= 0 {
		u.UID, u.GID, u.Home = accounts[i].uid, accounts[i].gid, "/home/"+accounts[i].name
	} else if name := c.GetRunAsUsername(); c.GetRunAsUser() == nil && name != "" && name != "root" {
		return u, fmt.Errorf("mount callback failed: unable to find user %s: no matching entries in passwd file", name)
	}
	if g := c.GetRunAsGroup(); g != nil {
		u.GID = g.GetValue()
	}
	for _, g := range c.GetSupplementalGroups() {
		if !slices.Contains(u.Groups, g) {
			u.Groups = append(u.Groups, g)
		}
	}
	if u.UID == 0 {
		u.Home = "/root"
	}
	u.Home = cmp.Or(u.Home, "/")
	return u, nil
}

// identity is the user as the files see it. The group that volumes are prepared
// for comes first among the spec's (pkg/kubelet/kuberuntime/security_context.go:77).
func (k *container) identity(u program.User) (as rootfs.Identity, fsGroup int64) {
	if groups := k.config.GetLinux().GetSecurityContext().GetSupplementalGroups(); len(groups) > 0 {
		fsGroup = groups[0]
	}
	return rootfs.Identity{Owner: program.Owner{UID: u.UID, GID: u.GID}, Groups: u.Groups, Override: k.capable(u)&(1<<overridesPermissions) != 0}, fsGroup
}

// message is the user as the kubelet reports it in the pod's status.
func userMessage(u program.User) *pb.ContainerUser {
	return &pb.ContainerUser{Linux: &pb.LinuxContainerUser{Uid: u.UID, Gid: u.GID, SupplementalGroups: append([]int64{u.GID}, u.Groups...)}}
}

// capabilities in the order of their numbers (linux/capability.h).
var capabilities = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
	SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
	WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// usually are those that containers have unless the spec says otherwise.
var usually = strings.Fields("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE")

const overridesPermissions = 1 // DAC_OVERRIDE

func capabilitySet(names []string) (set uint64) {
	for _, name := range names {
		name = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		if i := slices.Index(capabilities, name); i >= 0 {
			set |= 1 << i
		}
		if name == "ALL" {
			set |= 1<<len(capabilities) - 1
		}
	}
	return set
}

// bounding is what the container's processes could ever have.
func (k *container) bounding() uint64 {
	c := k.config.GetLinux().GetSecurityContext()
	if c.GetPrivileged() {
		return capabilitySet([]string{"ALL"})
	}
	return capabilitySet(usually)&^capabilitySet(c.GetCapabilities().GetDropCapabilities()) | capabilitySet(c.GetCapabilities().GetAddCapabilities())
}

// capable is what they have: nobody but root has any.
func (k *container) capable(u program.User) uint64 {
	if u.UID != 0 {
		return 0
	}
	return k.bounding()
}

// passwd and group are the files of those names.
func (k *container) passwd() string {
	text := "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"
	for _, a := range k.image.recipe.accounts {
		text += fmt.Sprintf("%s:x:%d:%d::/home/%s:/bin/sh\n", a.name, a.uid, a.gid, a.name)
	}
	return text
}

func (k *container) group() string {
	text := "root:x:0:\nnobody:x:65534:\n"
	for _, a := range k.image.recipe.accounts {
		text += fmt.Sprintf("%s:x:%d:\n", a.name, a.gid)
	}
	return text
}

// procStatus is the part of /proc/PID/status that tells what a process may.
func (k *container) procStatus(u program.User) string {
	c := k.config.GetLinux().GetSecurityContext()
	four := func(n int64) string { return strings.TrimSuffix(strings.Repeat(fmt.Sprint(n, "\t"), 4), "\t") }
	noNewPrivs, seccomp := 0, 0
	if c.GetNoNewPrivs() {
		noNewPrivs = 1
	}
	if p := c.GetSeccomp().GetProfileType(); c.GetSeccomp() != nil && p != pb.SecurityProfile_Unconfined && !c.GetPrivileged() {
		seccomp = 2
	}
	has := k.capable(u)
	return fmt.Sprintf("Uid:\t%s\nGid:\t%s\nGroups:\t%s\nCapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\nNoNewPrivs:\t%d\nSeccomp:\t%d\n",
		four(u.UID), four(u.GID), strings.Trim(fmt.Sprint(u.Groups), "[]"), 0, has, has, k.bounding(), 0, noNewPrivs, seccomp)
}

// mountTable is /proc/mounts: what is mounted where, under names of our own.
func (k *container) mountTable() string {
	mode := func(readOnly bool) string {
		if readOnly {
			return "ro"
		}
		return "rw"
	}
	text := fmt.Sprintf("kubestage / kubestage %s 0 0\nshm /dev/shm tmpfs rw,size=%dk 0 0\n", mode(k.config.GetLinux().GetSecurityContext().GetReadonlyRootfs()), sharedBytes>>10)
	for _, m := range k.config.GetMounts() {
		text += fmt.Sprintf("volume %s kubestage %s 0 0\n", m.GetContainerPath(), mode(m.GetReadonly() || m.GetImage().GetImage() != ""))
	}
	return text
}
