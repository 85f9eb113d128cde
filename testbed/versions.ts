/** What the testbed is made of. */

/** Must agree with `k8s.io/kubernetes` in kubernetes/go.mod. */
export const KUBERNETES = 'v1.37.2'

/** Go programs that are installed as they are, and the packages of each. */
export const TOOLS = {
  kwok: { version: 'v0.8.0', packages: ['sigs.k8s.io/kwok/cmd/kwok', 'sigs.k8s.io/kwok/cmd/kwokctl'] },
  helm: { version: 'v4.3.1', packages: ['helm.sh/helm/v4/cmd/helm'] },
  act: { version: 'v0.2.89', packages: ['github.com/nektos/act'] },
  registry: { version: 'v3.1.2', packages: ['github.com/distribution/distribution/v3/cmd/registry'] },
  actionlint: { version: 'v1.7.12', packages: ['github.com/rhysd/actionlint/cmd/actionlint'] },
} as const

export type Tool = keyof typeof TOOLS

/** Packages of the machine's own Debian or Ubuntu, in whatever version it has. `prometheus` brings promtool along. */
export type DebianPackage = 'prometheus' | 'prometheus-pushgateway' | 'chromium-headless-shell'

/** The names by which the one `kubernetes` binary is called. */
export const KUBERNETES_PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
] as const

const [major = '', minor = ''] = KUBERNETES.slice(1).split('.')

/** As Kubernetes' own build stamps them (hack/lib/version.sh). client-go's copy is what User-Agent shows. */
const stamps = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
  `-X ${path}.gitVersion=${KUBERNETES}`,
  `-X ${path}.gitMajor=${major}`,
  `-X ${path}.gitMinor=${minor}`,
])

export const KUBERNETES_BUILD_FLAGS = ['-trimpath', '-ldflags', ['-s', '-w', ...stamps].join(' ')]
