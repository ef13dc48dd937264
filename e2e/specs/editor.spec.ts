// The editor for manifests: completion from the cluster's own OpenAPI, a dry
// run at the apiserver, and apply.
import { Console } from "../pages/console.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

const manifest = (more: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: written
spec:
  replicas: 1
  selector:
    matchLabels:
      app: written
  template:
    metadata:
      labels:
        app: written
    spec:
      containers:
      - name: web
        image: nginx
${more}`;

test("a manifest is completed, checked without storing anything, and applied", async ({ dashboard, page }) => {
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/en/");
  const console_ = new Console(page);
  const editor = page.locator("#console-editor");

  await console_.write(manifest("        imagePull"));
  await console_.editor.press("Control+End");
  await console_.editor.press("Control+Space");
  // By mouse: the editor takes no key for a choice in the first moment of a list.
  const option = page.locator(".cm-tooltip-autocomplete [role=option]").filter({ hasText: "imagePullPolicy" });
  await option.click();
  await page.keyboard.type("Ne");
  await console_.editor.press("Control+Space");
  await page.locator(".cm-tooltip-autocomplete [role=option]").filter({ hasText: "Never" }).click();
  await expect(console_.editor).toContainText("imagePullPolicy: Never");

  await expectReadable(page, "#panel-notes");

  // What the cluster's OpenAPI has no place for is marked while it is typed.
  await console_.write(manifest("        colour: red\n        ports:\n        - containerPort: '80'\n"));
  await expect(page.locator(".cm-panel-lint li")).toHaveText([
    "There is no such field here: colour",
    "A whole number belongs here, without quotes",
  ]);
  await console_.write(manifest("        colour: red\n"));
  await editor.getByRole("button", { name: "Check" }).click();
  await expect(console_.output).toContainText('unknown field "spec.template.spec.containers[0].colour"');
  await console_.write(manifest(""));
  const before = await dashboard.lastSeq();
  await editor.getByRole("button", { name: "Check" }).click();
  await expect(console_.output).toContainText("deployment.apps/written created (server dry run)");
  const tried = await dashboard.eventsWhen("the dry run", before, (all) =>
    all.some((e) => e.kind === "request" && e.object?.name === "written" && e.detail?.dryRun === true),
  );
  expect(tried.filter((e) => e.kind === "etcd" && e.object?.name === "written")).toEqual([]);

  await editor.getByRole("button", { name: "Apply" }).click();
  await dashboard.eventsWhen("the Deployment", before, (all) =>
    all.some((e) => e.kind === "etcd" && e.object?.name === "written" && e.object.resource === "deployments"),
  );
  await dashboard.kubectl("kubectl delete deployment written");
});
