import { yamlLanguage } from "@codemirror/lang-yaml";
import { expect, test } from "vitest";
import { readTree } from "./explain.ts";
import { lint } from "./yamllint.ts";

/** Of what kubectl explain service --recursive answers in v1.36.3. */
const service = readTree(`KIND:       Service
VERSION:    v1

DESCRIPTION:
    Service is a named abstraction of software service (for example, mysql)

FIELDS:
  apiVersion\t<string>
  kind\t<string>
  metadata\t<ObjectMeta>
    annotations\t<map[string]string>
    managedFields\t<[]ManagedFieldsEntry>
      fieldsV1\t<FieldsV1>
    name\t<string>
    ownerReferences\t<[]OwnerReference>
      apiVersion\t<string> -required-
      blockOwnerDeletion\t<boolean>
  spec\t<ServiceSpec>
    clusterIPs\t<[]string>
    externalTrafficPolicy\t<string>
    enum: Cluster, Local
    ports\t<[]ServicePort>
      nodePort\t<integer>
      port\t<integer> -required-
      protocol\t<string>
      enum: SCTP, TCP, UDP, ....
      targetPort\t<IntOrString>
    publishNotReadyAddresses\t<boolean>
    selector\t<map[string]string>

`);

/** Marks the problems of a text: «where»message. */
async function marked(text: string, lang: "en" | "ko" = "en"): Promise<string[]> {
  const lookup = async (apiVersion: string, kind: string) =>
    `${apiVersion} ${kind}` === "v1 Service" ? service : null;
  const found = await lint(yamlLanguage.parser.parse(text), text, lookup, lang);
  return found.map((p) => `«${text.slice(p.from, p.to)}» ${p.message}`);
}

const good = `# two of them
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {note: "5", on: "true"}
  managedFields:
  - fieldsV1: {"f:spec": {"f:anything": {}}}
spec:
  externalTrafficPolicy: Local
  clusterIPs: [10.96.0.7]
  selector:
    app: 'web'
  ports:
  - port: 80
    protocol: QUIC
    targetPort: http
  - nodePort: 30080 # taken or not, the server knows
    port: 8080
    targetPort: 8080
---
apiVersion: v1
kind: Service
spec:
`;

test("what is right is not marked, nor what the schema does not open", async () => {
  expect(await marked(good)).toEqual([]);
});

test("each slip is marked where it is", async () => {
  const manifest = (spec: string) => `apiVersion: v1\nkind: Service\nspec:\n${spec}`;
  for (const [spec, ...problems] of [
    ["  colour: red\n", "«colour» There is no such field here: colour"],
    ["  selectr: {a: b}\n", "«selectr» There is no such field here: selectr. It may be: selector"],
    ["  Ports: []\n", "«Ports» There is no such field here: Ports. It may be: ports"],
    ["  ports:\n  - protocol: TCP\n", "«protocol: TCP» A required field is missing: port"],
    ["  ports:\n  - port: '80'\n", "«'80'» A whole number belongs here, without quotes"],
    ["  ports:\n  - port: eighty\n", "«eighty» A whole number belongs here, without quotes"],
    ["  ports:\n    port: 80\n", "«port: 80» A list belongs here: lines that begin with - "],
    ["  selector: web\n", "«web» Fields belong here, as in name: value"],
    [
      "  selector:\n    app: 5\n    on: true\n",
      ...["5", "true"].map((v) => `«${v}» Text belongs here: put it into quotes`),
    ],
    ["  clusterIPs: [[a]]\n", "«[a]]» A single value belongs here"],
    ["  publishNotReadyAddresses: yes please\n", "«yes please» true or false belongs here, without quotes"],
    ["  externalTrafficPolicy: local\n", "«local» The value is to be one of: Cluster, Local"],
    ["  selector: {}\n  selector: {}\n", "«selector» The field is here twice: selector"],
  ])
    expect(await marked(manifest(spec!)), spec).toEqual(problems);
});

test("an object has a kind that the cluster knows, and a text that is no YAML is told as such", async () => {
  expect(await marked("kind: Service\n")).toEqual(["«kind: Service» An object needs apiVersion and kind."]);
  expect(await marked("apiVersion: v2\nkind: Service\n")).toEqual([
    "«Service» The cluster knows no such kind: Service (v2)",
  ]);
  expect((await marked("apiVersion: v1\nkind: [Service\n")).join()).toContain("This is not YAML.");
  expect(await marked("apiVersion: v1\nkind: Service\nspec:\n  ports:\n  - protocol: TCP\n", "ko")).toEqual([
    "«protocol: TCP» 필수 필드가 빠졌습니다: port",
  ]);
  expect(await marked("")).toEqual([]);
});
