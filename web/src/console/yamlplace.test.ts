import { describe, expect, test } from "vitest";
import { readFields } from "./explain.ts";
import { yamlPlace } from "./yamlplace.ts";

/** The place of the bar in a text. */
const at = (text: string) => {
  const p = yamlPlace(text.replace("|", ""), text.indexOf("|"));
  return (
    p && {
      of: `${p.apiVersion} ${p.kind}`,
      path: p.path.join("."),
      value: p.valueOf,
      typed: p.typed,
      beside: p.beside.sort(),
    }
  );
};

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
          protocol: TCP
        `;

describe("the place in a manifest", () => {
  test("is below the fields that are indented less", () => {
    expect(at(`${deployment}res|`)).toEqual({
      of: "apps/v1 Deployment",
      path: "spec.template.spec.containers",
      value: "",
      typed: "res",
      beside: ["image", "name", "ports"],
    });
    expect(at(deployment.replace("  replicas: 2", "  replicas: 2\n  str|"))).toMatchObject({
      path: "spec",
      typed: "str",
      beside: ["replicas", "template"],
    });
    expect(at(deployment.replace("protocol: TCP", "protocol: TCP\n          ho|"))).toMatchObject({
      path: "spec.template.spec.containers.ports",
      beside: ["containerPort", "protocol"],
    });
    expect(at(deployment.replace("- name: nginx", "- na|"))).toMatchObject({ path: "spec.template.spec.containers" });
    expect(at("kind: Pod\nsp|")).toMatchObject({ of: " Pod", path: "", typed: "sp", beside: ["kind"] });
  });

  test("is in one of several objects", () => {
    expect(at(`${deployment}\n---\nkind: Service\nspec:\n  ty|`)).toMatchObject({
      of: " Service",
      path: "spec",
      typed: "ty",
    });
  });

  test("may be a value", () => {
    expect(at("kind: Pod\nspec:\n  restartPolicy: Nev|")).toMatchObject({
      path: "spec",
      value: "restartPolicy",
      typed: "Nev",
    });
    expect(at("kind: Pod\n# co|")).toBeNull();
    expect(at("kind: Pod\nmetadata:\n  name: two words|")).toBeNull();
  });
});

test("what kubectl explain says is read", () => {
  const answer =
    "KIND:       Pod\nVERSION:    v1\n\nFIELD: spec <PodSpec>\n\n\nDESCRIPTION:\n    Specification.\n\nFIELDS:\n" +
    "  containers\t<[]Container> -required-\n    List of containers\n    of the pod.\n\n  restartPolicy\t<string>\n  enum: Always, Never, OnFailure\n    Restart policy.\n\n";
  expect(readFields(answer)).toEqual([
    { name: "containers", type: "[]Container", required: true, values: [], says: "List of containers of the pod." },
    {
      name: "restartPolicy",
      type: "string",
      required: false,
      values: ["Always", "Never", "OnFailure"],
      says: "Restart policy.",
    },
  ]);
});
