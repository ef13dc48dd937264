package runtime

// PodAt returns the pod that has an address on this node, for those who know
// the address only. Pods in the node's network have no address of their own.
func (s *Server) PodAt(ip string) (namespace, name, uid string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.sandboxes {
		if b.ready && b.address == ip {
			m := b.config.GetMetadata()
			return m.GetNamespace(), m.GetName(), m.GetUid(), true
		}
	}
	return "", "", "", false
}
