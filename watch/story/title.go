package story

import (
	"encoding/json"
	"strings"

	"github.com/kubestage/kubestage/watch"
)

// Title is what a story is called, in both languages.
type Title struct {
	English string `json:"en"`
	Korean  string `json:"ko"`
}

// verbs are what a request did: the past tense, and a noun that needs no
// particle.
var verbs = map[string]Title{
	"create":           {"created", "생성"},
	"update":           {"updated", "수정"},
	"patch":            {"changed", "변경"},
	"delete":           {"deleted", "삭제"},
	"deletecollection": {"deleted all", "모두 삭제"},
	"get":              {"read", "조회"},
	"list":             {"listed", "목록 조회"},
	"watch":            {"watched", "지켜보기"},
}

// subresources that are an act of their own.
var acts = map[string]Title{
	"scale":       {"scaled", "스케일 조정"},
	"exec":        {"ran a command in", "안에서 명령 실행"},
	"attach":      {"attached to", "에 연결"},
	"portforward": {"forwarded a port to", "로 포트 포워딩"},
	"log":         {"read the log of", "로그 조회"},
	"eviction":    {"evicted", "축출"},
	"binding":     {"bound", "노드 배정"},
	"status":      {"wrote the status of", "상태 기록"},
	"finalize":    {"finalized", "마무리"},
}

// kinds are the names of kinds of objects, by resource.
var kinds = map[string]Title{
	"pods": {"Pod", "파드"}, "deployments": {"Deployment", "디플로이먼트"}, "replicasets": {"ReplicaSet", "레플리카셋"},
	"statefulsets": {"StatefulSet", "스테이트풀셋"}, "daemonsets": {"DaemonSet", "데몬셋"}, "jobs": {"Job", "잡"}, "cronjobs": {"CronJob", "크론잡"},
	"services": {"Service", "서비스"}, "endpoints": {"Endpoints", "엔드포인트"}, "endpointslices": {"EndpointSlice", "엔드포인트슬라이스"},
	"nodes": {"Node", "노드"}, "namespaces": {"Namespace", "네임스페이스"}, "configmaps": {"ConfigMap", "컨피그맵"}, "secrets": {"Secret", "시크릿"},
	"serviceaccounts": {"ServiceAccount", "서비스 어카운트"}, "events": {"Event", "이벤트"}, "leases": {"Lease", "리스"}, "ingresses": {"Ingress", "인그레스"},
	"networkpolicies": {"NetworkPolicy", "네트워크 정책"}, "persistentvolumes": {"PersistentVolume", "퍼시스턴트 볼륨"},
	"persistentvolumeclaims": {"PersistentVolumeClaim", "퍼시스턴트 볼륨 클레임"}, "storageclasses": {"StorageClass", "스토리지 클래스"},
	"resourcequotas": {"ResourceQuota", "리소스 쿼터"}, "limitranges": {"LimitRange", "리밋 레인지"}, "roles": {"Role", "롤"}, "rolebindings": {"RoleBinding", "롤바인딩"},
	"clusterroles": {"ClusterRole", "클러스터롤"}, "clusterrolebindings": {"ClusterRoleBinding", "클러스터롤바인딩"},
	"horizontalpodautoscalers": {"HorizontalPodAutoscaler", "HPA"}, "poddisruptionbudgets": {"PodDisruptionBudget", "PDB"},
	"customresourcedefinitions": {"CustomResourceDefinition", "CRD"}, "priorityclasses": {"PriorityClass", "우선순위 클래스"},
}

// changes are what happened to a component or a link.
var changes = map[string]Title{
	"starting": {"started", "시작"}, "exited": {"exited", "종료"}, "killed": {"was killed", "강제 종료"}, "stopping": {"was stopped", "정지"},
	"frozen": {"was frozen", "일시 중단"}, "cut": {"was cut", "끊김"}, "delayed": {"was slowed down", "지연"}, "healed": {"was healed", "복구"},
	"ready": {"became ready", "준비 완료"}, "stopped": {"stopped", "정지"}, "backoff": {"waits for its restart", "재시작 대기"}, "thawed": {"went on", "재개"},
}

// titleOf names a story by its root.
func titleOf(e *watch.Event) Title {
	switch e.Kind {
	case watch.Request, watch.Etcd, watch.Watch:
		return written(e)
	case watch.Component:
		c := word(changes, e.Verb)
		return Title{e.To + " " + c.English, e.To + " " + c.Korean}
	case "link":
		var d struct {
			Link string `json:"link"`
		}
		_ = json.Unmarshal(e.Detail, &d)
		c := word(changes, e.Verb)
		return Title{"The link of " + d.Link + " " + c.English, d.Link + " 연결 " + c.Korean}
	case watch.CRI:
		var d struct {
			ContainerName string `json:"containerName"`
		}
		_ = json.Unmarshal(e.Detail, &d)
		object := named(e.Object)
		if e.Verb == "ContainerExited" {
			return Title{"Container " + d.ContainerName + " of " + object.English + " exited", object.Korean + "의 " + d.ContainerName + " 컨테이너 종료"}
		}
		return Title{e.Verb + " of " + object.English, object.Korean + " " + e.Verb}
	case watch.Schedule:
		object := named(e.Object)
		return Title{"kube-scheduler looked for a node for " + object.English, object.Korean + " 스케줄링"}
	}
	return Title{string(e.Kind) + " " + e.Verb, string(e.Kind) + " " + e.Verb}
}

func written(e *watch.Event) Title {
	who, object, done := shortName(e.From), named(e.Object), word(verbs, e.Verb)
	if e.Kind != watch.Request {
		return Title{object.English + " changed", object.Korean + " 변경"}
	}
	if e.Object != nil && e.Object.Subresource != "" {
		if act, ok := acts[e.Object.Subresource]; ok {
			done = act
		} else {
			object.English += "/" + e.Object.Subresource
			object.Korean += "/" + e.Object.Subresource
		}
	}
	if e.Code >= 400 {
		return Title{who + " tried, but " + object.English + " was not " + participle(done.English), who + ": " + object.Korean + " " + done.Korean + " 실패"}
	}
	return Title{who + " " + done.English + " " + object.English, who + ": " + object.Korean + " " + done.Korean}
}

// participle is the past participle of the only verb here that has another.
func participle(done string) string { return strings.TrimSuffix(done, " all") }

func word(words map[string]Title, key string) Title {
	if t, ok := words[key]; ok {
		return t
	}
	return Title{key, key}
}

func named(o *watch.Object) Title {
	if o == nil {
		return Title{"the API", "API"}
	}
	kind := word(kinds, o.Resource)
	if o.Name == "" {
		in, ko := "", ""
		if o.Namespace != "" {
			in, ko = " in "+o.Namespace, o.Namespace+"의 "
		}
		return Title{plural(kind.English) + in, ko + kind.Korean}
	}
	return Title{kind.English + " " + o.Name, o.Name + " " + kind.Korean}
}

func plural(kind string) string {
	switch {
	case strings.HasSuffix(kind, "Endpoints"), kind == strings.ToLower(kind): // a resource is in the plural already
		return kind
	case strings.HasSuffix(kind, "s"):
		return kind + "es"
	case strings.HasSuffix(kind, "y"):
		return strings.TrimSuffix(kind, "y") + "ies"
	}
	return kind + "s"
}

// shortName is an actor without what all names of its sort begin with.
func shortName(actor string) string {
	if node, ok := strings.CutPrefix(actor, "system:node:"); ok {
		return "kubelet of " + node
	}
	for _, prefix := range []string{"system:serviceaccount:kube-system:", "system:serviceaccount:", "system:"} {
		if short, ok := strings.CutPrefix(actor, prefix); ok {
			return short
		}
	}
	return actor
}
