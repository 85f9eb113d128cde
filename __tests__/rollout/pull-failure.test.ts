import { describe, expect, it } from '@jest/globals'
import { pullFailure } from '../../src/rollout/pull-failure.ts'

const HUB = 'docker.io/acme/web:v2'
const pulling = (code: string, why: string) =>
  `rpc error: code = ${code} desc = failed to pull and unpack image "${HUB}": ${why}`
const resolving = (why: string) => pulling('Unknown', `failed to resolve reference "${HUB}": ${why}`)

/** What kubelets and container runtimes really wrote, shortened by what differs from case to case. */
describe('an image that cannot be pulled', () => {
  it.each<[string, string, 'fatal' | 'lasting', string]>([
    [
      'is not there (containerd)',
      pulling('NotFound', `failed to resolve reference "${HUB}": ${HUB}: not found`),
      'fatal',
      'not found',
    ],
    [
      'is not there (containerd, while backing off)',
      `Back-off pulling image "${HUB}": ErrImagePull: ${pulling('NotFound', `failed to resolve reference "${HUB}": ${HUB}: not found`)}`,
      'fatal',
      'not found',
    ],
    [
      'is not there (Docker)',
      `rpc error: code = Unknown desc = Error response from daemon: manifest for ${HUB} not found: manifest unknown: manifest unknown`,
      'fatal',
      'manifest unknown: manifest unknown',
    ],
    [
      'is not there (CRI-O)',
      `initializing source docker://${HUB}: reading manifest v2 in docker.io/acme/web: manifest unknown`,
      'fatal',
      'manifest unknown',
    ],
    [
      'was built for another architecture (containerd)',
      pulling('NotFound', 'no match for platform in manifest: not found'),
      'fatal',
      'it was not built for the operating system and processor of the node (no match for platform in manifest)',
    ],
    [
      'was built for another architecture (Docker)',
      'rpc error: code = Unknown desc = no matching manifest for linux/arm64/v8 in the manifest list entries',
      'fatal',
      'it was not built for the operating system and processor of the node (no matching manifest for linux/arm64/v8 in the manifest list entries)',
    ],
    [
      'is private, or not there: Docker Hub does not tell',
      resolving(
        'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      ),
      'lasting',
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    ],
    [
      'needs credentials',
      resolving(
        'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apull&service=ghcr.io: 401 Unauthorized',
      ),
      'lasting',
      'unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apull&service=ghcr.io: 401 Unauthorized',
    ],
    [
      'may not be read',
      resolving('failed to authorize: failed to fetch oauth token: unexpected status from POST request: 403 Forbidden'),
      'lasting',
      'unexpected status from POST request: 403 Forbidden',
    ],
    ['has no credentials (ECR)', resolving('no basic auth credentials'), 'lasting', 'no basic auth credentials'],
    [
      'is limited (Docker Hub)',
      pulling(
        'Unknown',
        'failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/acme/web/manifests/sha256:50aa46: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
      ),
      'lasting',
      '429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
    ],
    [
      'is in a registry that DNS does not know',
      resolving(
        'failed to do request: Head "https://registry.example/v2/acme/web/manifests/v2": dial tcp: lookup registry.example: no such host',
      ),
      'lasting',
      'dial tcp: lookup registry.example: no such host',
    ],
    [
      'is in a registry with an unknown certificate',
      resolving(
        'failed to do request: Head "https://registry.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      ),
      'lasting',
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    ['fails with a text nobody knows', pulling('Unknown', 'something: went: wrong here'), 'lasting', 'wrong here'],
  ])('%s', (_name, message, gravity, words) => {
    expect(pullFailure('ErrImagePull', message)).toEqual({ gravity, words })
  })

  it('may be one that only backs off, of which kubelets before 1.32 do not tell the cause', () => {
    expect(pullFailure('ImagePullBackOff', `Back-off pulling image "${HUB}"`)).toEqual({
      gravity: 'lasting',
      words: 'ImagePullBackOff',
    })
  })

  it.each([
    [
      'InvalidImageName',
      'Failed to apply default image tag "Acme/web:v2": couldn\'t parse image name',
      'this is not a valid name for an image',
    ],
    [
      'ErrImageNeverPull',
      `Container image "${HUB}" is not present with pull policy of Never`,
      'it is not on the node, and imagePullPolicy is Never',
    ],
  ])('is fatal with %s', (reason, message, words) => {
    expect(pullFailure(reason, message)).toEqual({ gravity: 'fatal', words })
  })

  it.each([
    ['RegistryUnavailable', `image pull failed for ${HUB} because the registry is unavailable: try later`],
    ['SignatureValidationFailed', `image pull failed for ${HUB} because the signature validation failed: no signature`],
    ['ImageInspectError', 'Failed to inspect image "web": rpc error: code = Unavailable desc = runtime is gone'],
  ])('may heal with %s', (reason, message) => {
    expect(pullFailure(reason, message).gravity).toBe('lasting')
  })
})
