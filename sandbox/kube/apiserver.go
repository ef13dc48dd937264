//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/flagz"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/cli/globalflag"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/featuregate"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
	aggregatorscheme "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/controlplane"
	controlplaneapiserver "k8s.io/kubernetes/pkg/controlplane/apiserver"
	generatedopenapi "k8s.io/kubernetes/pkg/generated/openapi"
)

// runAPIServer is upstream's command, or, with somebody to tell, upstream's
// NewAPIServerCommand and Run (cmd/kube-apiserver/app/server.go:69, :148) with
// gates put around what a request passes.
func runAPIServer(args []string) int {
	w := newWitness()
	if w.mute() {
		return cli.Run(app.NewAPIServerCommand())
	}
	ctx := server.SetupSignalContext()
	defer klog.Flush()
	if err := serve(ctx, args, w); err != nil {
		fmt.Fprintln(os.Stderr, "kube-apiserver:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, args []string, w *witness) error {
	s := options.NewServerRunOptions()
	named := s.Flags()
	s.Flagz = flagz.NamedFlagSetsReader{FlagSets: named}
	globalflag.AddGlobalFlags(named.FlagSet("global"), "kube-apiserver", logs.SkipLoggingConfigurationFlags())
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, f := range named.FlagSets {
		flags.AddFlagSet(f)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	registry := s.GenericServerRunOptions.ComponentGlobalsRegistry
	if err := registry.Set(); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{}) // its own requests to itself
	gate := registry.FeatureGateFor(basecompatibility.DefaultKubeComponent)
	if err := logsapi.ValidateAndApply(s.Logs, gate); err != nil {
		return err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return utilerrors.NewAggregate(errs)
	}
	gate.(featuregate.MutableFeatureGate).AddMetrics()
	registry.AddMetrics()

	p := newPassages(w)
	defer p.close()
	config, err := gatedConfig(completed, p)
	if err != nil {
		return err
	}
	ready, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := app.CreateServerChain(ready)
	if err != nil {
		return err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// gatedConfig is app.NewConfig (cmd/kube-apiserver/app/config.go:71) with the
// gates put in after BuildGenericConfig, which makes what they are put around,
// and before the three servers are configured, which take it from there.
func gatedConfig(opts options.CompletedOptions, p *passages) (*app.Config, error) {
	generic, informers, storage, err := controlplaneapiserver.BuildGenericConfig(
		opts.CompletedOptions,
		[]*runtime.Scheme{legacyscheme.Scheme, apiextensionsapiserver.Scheme, aggregatorscheme.Scheme},
		controlplane.DefaultAPIResourceConfigSource(),
		generatedopenapi.GetOpenAPIDefinitions,
	)
	if err != nil {
		return nil, err
	}

	t := tracing{all: p}
	generic.TracerProvider = t
	storage.StorageConfig.Transport.TracerProvider = t   // of what Kubernetes stores
	opts.Etcd.StorageConfig.Transport.TracerProvider = t // of what the extensions and the aggregator store
	generic.Authentication.Authenticator = authenticationGate{generic.Authentication.Authenticator}
	generic.Authorization.Authorizer = authorizationGate{
		Authorizer:   generic.Authorization.Authorizer,
		roles:        informers.Rbac().V1().Roles().Lister(),
		clusterRoles: informers.Rbac().V1().ClusterRoles().Lister(),
	}
	if generic.FlowControl != nil {
		generic.FlowControl = flowGate{generic.FlowControl}
	}
	// Innermost, so that a plugin's time is its own: the first decorator is
	// applied first.
	a := opts.Admission.GenericAdmission
	a.Decorators = append(admission.Decorators{admission.DecoratorFunc(admissionGate)}, a.Decorators...)
	generic.RESTOptionsGetter = storageGate{generic.RESTOptionsGetter}
	if generic.AuditBackend != nil {
		generic.AuditBackend = auditGate{generic.AuditBackend, p}
	}

	c := &app.Config{Options: opts}
	kube, resolver, initializers, err := app.CreateKubeAPIServerConfig(opts, generic, informers, storage)
	if err != nil {
		return nil, err
	}
	c.KubeAPIs = kube
	authInfo := webhook.NewDefaultAuthenticationInfoResolverWrapper(kube.ControlPlane.ProxyTransport, kube.ControlPlane.Generic.EgressSelector, kube.ControlPlane.Generic.LoopbackClientConfig, kube.ControlPlane.Generic.TracerProvider)
	c.ApiExtensions, err = controlplaneapiserver.CreateAPIExtensionsConfig(*kube.ControlPlane.Generic, kube.ControlPlane.VersionedInformers, initializers, opts.CompletedOptions, opts.MasterCount, resolver, authInfo)
	if err != nil {
		return nil, err
	}
	x := c.ApiExtensions
	x.GenericConfig.RESTOptionsGetter = storageGate{x.GenericConfig.RESTOptionsGetter}
	x.ExtraConfig.CRDRESTOptionsGetter = storageGate{x.ExtraConfig.CRDRESTOptionsGetter}
	c.Aggregator, err = controlplaneapiserver.CreateAggregatorConfig(*kube.ControlPlane.Generic, opts.CompletedOptions, kube.ControlPlane.VersionedInformers, resolver, kube.ControlPlane.ProxyTransport, kube.ControlPlane.Extra.PeerProxy, initializers)
	if err != nil {
		return nil, err
	}
	c.Aggregator.GenericConfig.RESTOptionsGetter = storageGate{c.Aggregator.GenericConfig.RESTOptionsGetter}
	return c, nil
}
