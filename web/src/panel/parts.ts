// What each part of the picture is, in two or three sentences.
import type { Both } from "../i18n/lang.ts";

const parts: Record<string, Both> = {
  kubectl: [
    "Whoever is outside the cluster. kubectl turns a command into HTTPS requests to the kube-apiserver; it talks to nothing else.",
    "클러스터 바깥에 있는 이입니다. kubectl은 명령을 kube-apiserver로 가는 HTTPS 요청으로 바꿉니다. 다른 어떤 것과도 이야기하지 않습니다.",
  ],
  kubestage: [
    "Kubestage itself: it starts the components and sets up what they need. It asks the kube-apiserver like everybody else.",
    "Kubestage 자신입니다. 컴포넌트를 시작하고 필요한 것을 갖춥니다. 다른 모두처럼 kube-apiserver에 요청합니다.",
  ],
  others: [
    "Others who sent requests from outside, under their own names.",
    "바깥에서 각자의 이름으로 요청을 보낸 이들입니다.",
  ],
  "kube-apiserver": [
    "The only door. Every request of every component comes in here, passes the gates in order, and is answered. Nobody but the kube-apiserver talks to etcd, and no two components talk to each other directly.",
    "유일한 문입니다. 모든 컴포넌트의 모든 요청이 이리로 들어와 관문을 차례로 지나고 응답을 받습니다. etcd와 이야기하는 것은 kube-apiserver뿐이고, 컴포넌트끼리 직접 이야기하는 일은 없습니다.",
  ],
  authn: [
    "Authentication: who is asking? A client certificate or a token gives the request a user name and groups. Without one that is accepted the answer is 401.",
    "인증(authentication): 누가 요청하는가? 클라이언트 인증서나 토큰이 요청에 사용자 이름과 그룹을 붙입니다. 인정받지 못하면 401로 답합니다.",
  ],
  authz: [
    "Authorization: may this user do this? RBAC looks for a role that allows it, the Node authorizer knows what a kubelet may touch. If nobody allows it, the answer is 403.",
    "인가(authorization): 이 사용자가 이 일을 해도 되는가? RBAC은 허용하는 롤을 찾고, Node 인가는 kubelet이 만져도 되는 것을 압니다. 아무도 허용하지 않으면 403으로 답합니다.",
  ],
  admission: [
    "Admission: plug-ins look at what is to be written. The mutating ones may fill something in, the validating ones may refuse. Reads do not pass here.",
    "어드미션(admission): 플러그인이 쓰려는 내용을 살핍니다. 변형(mutating) 플러그인은 내용을 채울 수 있고, 검증(validating) 플러그인은 거절할 수 있습니다. 읽기는 이곳을 지나지 않습니다.",
  ],
  validation: [
    "Validation: is the object itself sound? Required fields, formats, fields that may not change. If not, the answer is 422.",
    "검증(validation): 오브젝트 자체가 올바른가? 필수 필드, 형식, 바꿀 수 없는 필드를 봅니다. 올바르지 않으면 422로 답합니다.",
  ],
  storage: [
    "Storage: the object is written to etcd, but only if nobody changed it in the meantime. Otherwise the answer is 409, and the asker has to look again.",
    "저장(storage): 오브젝트를 etcd에 씁니다. 그사이 누가 고치지 않았을 때만 씁니다. 고쳤다면 409로 답하고, 요청한 쪽이 다시 읽어야 합니다.",
  ],
  watch: [
    "Watch: components keep a request open, and the kube-apiserver sends them every change of what they watch. So nobody has to ask again and again.",
    "watch: 컴포넌트는 요청 하나를 열어 두고, kube-apiserver는 지켜보는 것이 바뀔 때마다 알려 줍니다. 그래서 되풀이해 물을 필요가 없습니다.",
  ],
  etcd: [
    "The cluster's only memory: a ledger of keys and values. Each write gets the next revision, and that number becomes the object's resourceVersion.",
    "클러스터의 하나뿐인 기억입니다. 키와 값을 적는 장부이고, 쓸 때마다 다음 리비전 번호가 붙습니다. 그 번호가 오브젝트의 resourceVersion이 됩니다.",
  ],
  "kube-controller-manager": [
    "One program, many controllers. Each watches some kinds of objects, compares what is wanted with what is, and asks the kube-apiserver for the next small change. The chips are controllers that have acted, each under its own account.",
    "프로그램은 하나지만 컨트롤러는 여럿입니다. 저마다 오브젝트를 지켜보며 바라는 것과 지금 상태를 견주고, kube-apiserver에 다음 작은 변화를 요청합니다. 칩은 움직인 적이 있는 컨트롤러이며 각자의 계정을 씁니다.",
  ],
  "kube-scheduler": [
    "Finds a node for each pod that has none: filters out nodes that cannot run it, gives points to the rest, and binds the pod to the best. If only one node is left, there is nothing to score.",
    "노드가 없는 파드마다 자리를 찾습니다. 둘 수 없는 노드를 거르고, 남은 노드에 점수를 매기고, 가장 나은 노드에 배정합니다. 하나만 남으면 점수를 매길 필요가 없습니다.",
  ],
  "cloud-controller-manager": [
    "Talks to a cloud about nodes, load balancers and routes.",
    "노드, 로드 밸런서, 라우트에 관해 클라우드와 이야기합니다.",
  ],
  kubelet: [
    "The kubelet watches for pods bound to its node, has the container runtime make them real, and reports their status. This is the real kubelet.",
    "kubelet은 자기 노드에 배정된 파드를 지켜보고, 컨테이너 런타임이 그것을 실제로 만들게 하고, 상태를 보고합니다. 이것은 진짜 kubelet입니다.",
  ],
  runtime: [
    "Kubestage's own container runtime. The kubelet calls it through the real CRI, but inside a container runs a built-in stand-in program instead of the image.",
    "Kubestage의 컨테이너 런타임입니다. kubelet은 진짜 CRI로 이것을 부르지만, 컨테이너 안에서는 이미지 대신 내장된 대역 프로그램이 돕니다.",
  ],
  node: [
    "A node: a machine in the eyes of the cluster. Its processors and memory are figures here; no real hardware stands behind them.",
    "노드는 클러스터가 보는 기계 한 대입니다. 여기서 CPU와 메모리는 숫자일 뿐, 실제 하드웨어가 뒤에 있지는 않습니다.",
  ],
  quiet: [
    "The quiet lane: what happens all the time. Leases say \u201cI am alive\u201d, nodes report their status, components read what they need, and Events are written down. It is counted here and kept out of the story.",
    "조용한 차선: 늘 일어나는 일입니다. 리스는 살아 있다는 신호이고, 노드는 상태를 보고하고, 컴포넌트는 필요한 것을 읽고, 이벤트가 적힙니다. 여기서 세기만 하고 이야기에는 넣지 않습니다.",
  ],
  controller: [
    "A controller in the kube-controller-manager. It acts under its own service account, so the audit log knows it by name.",
    "kube-controller-manager 안의 컨트롤러입니다. 자기 서비스 어카운트로 움직이므로 감사 로그에 이름이 남습니다.",
  ],
  nodes: ["Nodes that are not drawn one by one.", "하나씩 그리지 않은 노드들입니다."],
};

export function partWords(id: string): Both {
  return parts[id] ?? parts[id.split(":")[0]!] ?? parts.controller!;
}

/** The name of a component's process for a part, if it has one. */
export function componentOf(id: string): string | null {
  if (id.startsWith("kubelet:")) return id;
  return ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "cloud-controller-manager"].includes(
    id,
  )
    ? id
    : null;
}
