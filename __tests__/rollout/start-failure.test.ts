import { describe, expect, it } from '@jest/globals'
import { configFailure, missingConfig, startFailure } from '../../src/rollout/start-failure.ts'

const RUNC =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: '
const DURING_INIT = `${RUNC}error during container init: `

/** What containerd, runc and Docker really wrote. */
describe('a container that cannot be started', () => {
  it.each<[string, string, 'StartFailed' | 'OutOfMemory', 'fatal' | 'lasting', string]>([
    [
      'its program is missing',
      `${DURING_INIT}exec: "/app": stat /app: no such file or directory: unknown`,
      'StartFailed',
      'fatal',
      'exec: "/app": stat /app: no such file or directory',
    ],
    [
      'its program is not in the PATH',
      `${DURING_INIT}exec: "serve": executable file not found in $PATH: unknown`,
      'StartFailed',
      'fatal',
      'exec: "serve": executable file not found in $PATH',
    ],
    [
      'its program may not be executed',
      `${DURING_INIT}exec: "/entrypoint.sh": permission denied: unknown`,
      'StartFailed',
      'fatal',
      'exec: "/entrypoint.sh": permission denied',
    ],
    [
      'its image was built for another architecture',
      `${RUNC}exec /usr/local/bin/app: exec format error: unknown`,
      'StartFailed',
      'fatal',
      'the image was built for another processor architecture than the node has (exec format error)',
    ],
    [
      'its working directory is closed',
      `${DURING_INIT}chdir to cwd ("/srv") set in config.json failed: permission denied: unknown`,
      'StartFailed',
      'fatal',
      'chdir to cwd ("/srv") set in config.json failed: permission denied',
    ],
    [
      'it has no command',
      'failed to generate container "f00" spec: failed to generate spec: no command specified',
      'StartFailed',
      'fatal',
      'neither the image nor the manifest names a command (no command specified)',
    ],
    [
      'its user is not in the image',
      'failed to generate spec: unable to find user web: no matching entries in passwd file',
      'StartFailed',
      'fatal',
      'unable to find user web: no matching entries in passwd file',
    ],
    [
      'a file is mounted onto a directory',
      `${DURING_INIT}error mounting "/var/lib/kubelet/x" to rootfs at "/etc/app.yaml": not a directory: Are you trying to mount a directory onto a file (or vice-versa)?`,
      'StartFailed',
      'fatal',
      'not a directory: Are you trying to mount a directory onto a file (or vice-versa)?',
    ],
    [
      'its memory limit is too low to start it',
      `${RUNC}container init was OOM-killed (memory limit too low?): unknown`,
      'OutOfMemory',
      'lasting',
      'its memory limit is too low to even start it (container init was OOM-killed)',
    ],
    [
      'the disk of the node is full: trouble of the node, though with exit code 128 like the others',
      'failed to create containerd task: failed to create shim task: mkdir /run/containerd: no space left on device: unknown',
      'StartFailed',
      'lasting',
      'StartError: failed to create containerd task: failed to create shim task: mkdir /run/containerd: no space left on device: unknown',
    ],
    [
      'the runtime does not answer',
      'context deadline exceeded',
      'StartFailed',
      'lasting',
      'StartError: context deadline exceeded',
    ],
    ['nobody says why', '', 'StartFailed', 'lasting', 'StartError'],
  ])('because %s', (_name, message, reason, gravity, words) => {
    expect(startFailure('StartError', message)).toEqual({ reason, gravity, words })
  })
})

describe('a container that cannot be configured', () => {
  it.each<[string, string, 'fatal' | 'lasting', string]>([
    ['a missing ConfigMap', 'configmap "settings" not found', 'fatal', 'ConfigMap settings does not exist'],
    ['a missing Secret', 'secret "database" not found', 'fatal', 'Secret database does not exist'],
    [
      'a missing key of a ConfigMap',
      "couldn't find key LOG_LEVEL in ConfigMap shop/settings",
      'fatal',
      'ConfigMap settings has no key LOG_LEVEL',
    ],
    [
      'a missing key of a Secret',
      "couldn't find key url in Secret shop/database",
      'fatal',
      'Secret database has no key url',
    ],
    [
      'an image that runs as root',
      'container has runAsNonRoot and image will run as root (pod: "web-1_shop(5d9)", container: app)',
      'fatal',
      'container has runAsNonRoot and image will run as root',
    ],
    [
      'an image with a user that cannot be checked',
      'container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root (pod: "web-1_shop(5d9)", container: app)',
      'fatal',
      'container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root',
    ],
    [
      'a kubelet that has not seen the ConfigMap yet',
      'failed to sync configmap cache: timed out waiting for the condition',
      'lasting',
      'CreateContainerConfigError: failed to sync configmap cache: timed out waiting for the condition',
    ],
    [
      'a kubelet that has not seen the Services yet',
      'services have not yet been read at least once, cannot construct envvars',
      'lasting',
      'CreateContainerConfigError: services have not yet been read at least once, cannot construct envvars',
    ],
    [
      'a kubelet that may not read the Secret yet',
      'secrets "database" is forbidden: User "system:node:node-1" cannot get resource "secrets": no relationship found between node and this object',
      'lasting',
      'CreateContainerConfigError: secrets "database" is forbidden: User "system:node:node-1" cannot get resource "secrets": no relationship found between node and this object',
    ],
  ])('because of %s', (_name, message, gravity, words) => {
    expect(configFailure(message)).toEqual({ reason: 'ContainerConfig', gravity, words })
  })

  it('may miss a key in a volume', () => {
    expect(
      missingConfig('MountVolume.SetUp failed for volume "tls" : references non-existent secret key: tls.crt'),
    ).toBe('its Secret has no key tls.crt')
    expect(missingConfig('configmap references non-existent config key: app.yaml')).toBe(
      'its ConfigMap has no key app.yaml',
    )
  })
})
