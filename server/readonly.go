package server

import "strings"

// readOnly is the refusal of whatever would change a cluster that is not ours
// to change; nil when it is ours.
func (s *Server) readOnly() *refusal {
	if !s.ReadOnly {
		return nil
	}
	why := said{"this cluster is only watched", "이 클러스터는 보기만 합니다"}
	hint := said{"start `dashboard` without --kubeconfig for a cluster of your own", "--kubeconfig 없이 `dashboard`를 시작하면 직접 다룰 수 있는 클러스터가 생깁니다"}
	if s.Source == "recording" {
		why = said{"this is a recording: there is no cluster behind it to change", "이것은 기록입니다. 바꿀 수 있는 클러스터가 뒤에 없습니다"}
		hint = said{"play it, stop it and step through it; start `dashboard` for a cluster of your own", "재생하고 멈추고 한 걸음씩 살펴보세요. `dashboard`를 시작하면 직접 다룰 수 있는 클러스터가 생깁니다"}
	}
	return &refusal{why, hint}
}

// sentences are for where a refusal stands alone on a page.
func (r refusal) sentences() refusal {
	return refusal{r.why.sentence(), r.hint.sentence()}
}

func (s said) sentence() said {
	return said{strings.ToUpper(s.en[:1]) + s.en[1:] + ".", s.ko + "."}
}
