// What things are called, in both languages.
import type { Lang } from "../app.ts";
import type { Actor } from "../model/actor.ts";
import type { KubeObject } from "../wire/event.ts";
import type { Both } from "./lang.ts";

/** Kinds of objects by their resource name. The Korean word carries the English name in captions where it is first used. */
const kinds: Record<string, Both> = {
  pods: ["Pod", "파드"],
  deployments: ["Deployment", "디플로이먼트"],
  replicasets: ["ReplicaSet", "레플리카셋"],
  statefulsets: ["StatefulSet", "스테이트풀셋"],
  daemonsets: ["DaemonSet", "데몬셋"],
  jobs: ["Job", "잡"],
  cronjobs: ["CronJob", "크론잡"],
  services: ["Service", "서비스"],
  endpoints: ["Endpoints", "엔드포인트"],
  endpointslices: ["EndpointSlice", "엔드포인트슬라이스"],
  nodes: ["Node", "노드"],
  namespaces: ["Namespace", "네임스페이스"],
  configmaps: ["ConfigMap", "컨피그맵"],
  secrets: ["Secret", "시크릿"],
  serviceaccounts: ["ServiceAccount", "서비스 어카운트"],
  events: ["Event", "이벤트"],
  leases: ["Lease", "리스"],
  ingresses: ["Ingress", "인그레스"],
  networkpolicies: ["NetworkPolicy", "네트워크 정책"],
  persistentvolumes: ["PersistentVolume", "퍼시스턴트 볼륨"],
  persistentvolumeclaims: ["PersistentVolumeClaim", "퍼시스턴트 볼륨 클레임"],
  storageclasses: ["StorageClass", "스토리지 클래스"],
  resourcequotas: ["ResourceQuota", "리소스 쿼터"],
  limitranges: ["LimitRange", "리밋 레인지"],
  roles: ["Role", "롤"],
  rolebindings: ["RoleBinding", "롤바인딩"],
  clusterroles: ["ClusterRole", "클러스터롤"],
  clusterrolebindings: ["ClusterRoleBinding", "클러스터롤바인딩"],
  horizontalpodautoscalers: ["HorizontalPodAutoscaler", "HPA"],
  poddisruptionbudgets: ["PodDisruptionBudget", "PDB"],
  controllerrevisions: ["ControllerRevision", "컨트롤러 리비전"],
  customresourcedefinitions: ["CustomResourceDefinition", "CRD"],
  priorityclasses: ["PriorityClass", "우선순위 클래스"],
  flowschemas: ["FlowSchema", "플로 스키마"],
  prioritylevelconfigurations: ["PriorityLevelConfiguration", "우선순위 수준 설정"],
  certificatesigningrequests: ["CertificateSigningRequest", "인증서 서명 요청"],
  csinodes: ["CSINode", "CSI 노드"],
  csidrivers: ["CSIDriver", "CSI 드라이버"],
  apiservices: ["APIService", "API 서비스"],
  servicecidrs: ["ServiceCIDR", "서비스 CIDR"],
  ipaddresses: ["IPAddress", "IP 주소"],
  runtimeclasses: ["RuntimeClass", "런타임 클래스"],
  ingressclasses: ["IngressClass", "인그레스 클래스"],
  volumeattachments: ["VolumeAttachment", "볼륨 연결"],
  podtemplates: ["PodTemplate", "파드 템플릿"],
  replicationcontrollers: ["ReplicationController", "레플리케이션 컨트롤러"],
  mutatingwebhookconfigurations: ["MutatingWebhookConfiguration", "변형 웹훅 설정"],
  validatingwebhookconfigurations: ["ValidatingWebhookConfiguration", "검증 웹훅 설정"],
  validatingadmissionpolicies: ["ValidatingAdmissionPolicy", "검증 어드미션 정책"],
  validatingadmissionpolicybindings: ["ValidatingAdmissionPolicyBinding", "검증 어드미션 정책 바인딩"],
  ranges: ["RangeAllocation", "범위 할당"],
  bindings: ["Binding", "바인딩"],
  componentstatuses: ["ComponentStatus", "컴포넌트 상태"],
  csistoragecapacities: ["CSIStorageCapacity", "CSI 스토리지 용량"],
  deviceclasses: ["DeviceClass", "디바이스 클래스"],
  resourceclaims: ["ResourceClaim", "리소스 클레임"],
  resourceclaimtemplates: ["ResourceClaimTemplate", "리소스 클레임 템플릿"],
  resourceslices: ["ResourceSlice", "리소스 슬라이스"],
  mutatingadmissionpolicies: ["MutatingAdmissionPolicy", "변형 어드미션 정책"],
  mutatingadmissionpolicybindings: ["MutatingAdmissionPolicyBinding", "변형 어드미션 정책 바인딩"],
  volumeattributesclasses: ["VolumeAttributesClass", "볼륨 속성 클래스"],
  tokenreviews: ["TokenReview", "토큰 검토(TokenReview)"],
  subjectaccessreviews: ["SubjectAccessReview", "권한 검토(SubjectAccessReview)"],
  localsubjectaccessreviews: ["LocalSubjectAccessReview", "권한 검토(LocalSubjectAccessReview)"],
  selfsubjectrulesreviews: ["SelfSubjectRulesReview", "권한 목록(SelfSubjectRulesReview)"],
  selfsubjectreviews: ["SelfSubjectReview", "자기 확인(SelfSubjectReview)"],
  selfsubjectaccessreviews: ["SelfSubjectAccessReview", "권한 물음(SelfSubjectAccessReview)"],
};

/** Whether a kind of objects has a name here. */
export function knowsKind(resource: string): boolean {
  return resource in kinds;
}

export function kindName(lang: Lang, resource: string): string {
  const k = kinds[resource];
  if (k) return lang === "ko" ? k[1] : k[0];
  return lang === "ko" ? `${resource} 오브젝트` : `${resource} object`;
}

/** The kind in the plural, or as a collection. */
export function kindsName(lang: Lang, resource: string): string {
  const k = kinds[resource];
  if (!k) return resource;
  if (lang === "ko") return k[1];
  if (/(s|x)$/.test(k[0])) return /(Endpoints)$/.test(k[0]) ? k[0] : `${k[0]}es`;
  return k[0].endsWith("y") ? `${k[0].slice(0, -1)}ies` : `${k[0]}s`;
}

/** "Pod hello" and "hello 파드": in Korean the noun is last, so that particles fit it. */
export function objectName(lang: Lang, o: KubeObject, firstUse = false): string {
  if (!o.name) {
    if (lang === "ko") return `${kindsName(lang, o.resource)} 목록`;
    return `the list of ${kindsName(lang, o.resource)}`;
  }
  const kind = kindName(lang, o.resource);
  if (lang === "en") return `${kind} ${o.name}`;
  const english = kinds[o.resource]?.[0];
  return firstUse && english && english !== kind ? `${o.name} ${kind}(${english})` : `${o.name} ${kind}`;
}

/** The word for an object beside a token: "pod/hello". */
export function tokenName(o: KubeObject): string {
  const one = kinds[o.resource]?.[0].toLowerCase() ?? o.resource;
  return o.name ? `${one}/${o.name}` : o.resource;
}

/** Who did it, for a sentence. */
export function actorName(lang: Lang, a: Actor, agent = ""): string {
  switch (a.role) {
    case "person": {
      if (a.id === "unknown") return lang === "ko" ? "알 수 없는 누군가" : "somebody unknown";
      const program = agent.split(/[/\s]/)[0] ?? "";
      if (program === "kubectl" || program === "dashboard") return "kubectl";
      return program && program !== "Mozilla" ? program : a.name;
    }
    case "kubelet":
      return lang === "ko" ? `${a.node}의 kubelet` : `the kubelet of ${a.node}`;
    case "runtime":
      return lang === "ko" ? `${a.node}의 런타임` : `the runtime of ${a.node}`;
    case "controllers":
      return lang === "ko" ? a.name : `the ${a.name.replace(/-controller$/, " controller")}`;
    case "scheduler":
    case "apiserver":
    case "etcd":
    case "cloud":
    case "proxy":
      return a.name;
    case "kubestage":
      return "Kubestage";
    case "workload":
      return a.name;
  }
}

/** For the first word of a sentence; names of programs keep their small letter. */
export function capital(s: string): string {
  if (!/^(the|a|an) /.test(s)) return s;
  return s.charAt(0).toUpperCase() + s.slice(1);
}

const codes: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  422: "Invalid",
  429: "Too Many Requests",
  500: "Internal Error",
  503: "Unavailable",
};

export function codeWords(code: number): string {
  return codes[code] ? `${code} ${codes[code]}` : String(code);
}

const steps: Record<string, Both> = {
  authentication: ["Authentication", "인증"],
  audit: ["Audit", "감사"],
  impersonation: ["Impersonation", "다른 사용자로 행동"],
  priorityandfairness: ["Priority and fairness", "우선순위와 공정성"],
  authorization: ["Authorization", "인가"],
  read: ["Reading the body", "본문 읽기"],
  decode: ["Decoding and defaults", "해석과 기본값"],
  patch: ["Applying the patch", "패치 적용"],
  mutating: ["Mutating admission", "변형 어드미션"],
  validation: ["Validation", "검증"],
  validating: ["Validating admission", "검증 어드미션"],
  etcd: ["etcd", "etcd"],
  cache: ["Watch cache", "watch 캐시"],
  unchanged: ["Nothing to write", "쓸 것 없음"],
  response: ["Response", "응답"],
};

/** A step inside the kube-apiserver. */
export function stepName(lang: Lang, step: string): string {
  const s = steps[step];
  return s ? (lang === "ko" ? s[1] : s[0]) : step;
}
