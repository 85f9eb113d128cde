/** Records for tests. */
import { RELEASE_LABEL } from '../../src/plan/desired.ts'
import type { RecordedObject, ReleaseRecord } from '../../src/release/record.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Random } from '../fixtures/random.ts'

export function configMap(name: string, data: Record<string, string> = {}, release = 'shop'): KubeObject {
  const metadata = { name, namespace: 'shop', labels: { [RELEASE_LABEL]: release } }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
}

export function releaseRecord(more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    schema: 1,
    release: 'shop',
    namespace: 'shop',
    revision: 3,
    status: 'good',
    message: 'all is well',
    startedAt: '2030-01-02T03:04:05.678Z',
    endedAt: '2030-01-02T03:05:00Z',
    by: {
      repository: 'acme/shop',
      sha: '4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2',
      ref: 'refs/heads/main',
      actor: 'mona',
      url: 'https://github.com/acme/shop/actions/runs/7/attempts/1',
      id: 7,
      attempt: 1,
    },
    objects: [{ object: configMap('settings', { colour: 'green' }), uid: 'uid-1' }],
    writes: [],
    ...more,
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** An object whose data gzip cannot make smaller than `bytes`: base64 of noise. */
export function incompressible(name: string, bytes: number, random: Random): RecordedObject {
  // Three bytes make four letters.
  const letters = Array.from({ length: Math.ceil(bytes / 3) }, () => {
    const noise = random.below(2 ** 24)
    return [18, 12, 6, 0].map((shift) => BASE64.charAt((noise >> shift) & 63)).join('')
  })
  return { object: configMap(name, { noise: letters.join('') }) }
}
