//! Types of the API, those of `volume`, written by `cargo xtask codegen` from the published
//! definitions of Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::Int64, Shape::List, Shape::Map, Shape::Object,
    Shape::Quantity, Shape::String, Shape::Time, Type, atomic, f, meta::LABEL_SELECTOR,
    meta::OBJECT_META, p, t,
};

pub(super) static ATTACHED_VOLUME: Type = t("AttachedVolume", &[
    f("devicePath", 2, String), f("name", 1, String),
]);

pub(super) static VOLUME: Type = t("Volume", &[
    p("awsElasticBlockStore", 4, Object(&AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE)).inside(2),
    p("azureDisk", 22, Object(&AZURE_DISK_VOLUME_SOURCE)).inside(2),
    p("azureFile", 18, Object(&AZURE_FILE_VOLUME_SOURCE)).inside(2),
    p("cephfs", 14, Object(&CEPH_FS_VOLUME_SOURCE)).inside(2),
    p("cinder", 13, Object(&CINDER_VOLUME_SOURCE)).inside(2),
    p("configMap", 19, Object(&CONFIG_MAP_VOLUME_SOURCE)).inside(2),
    p("csi", 28, Object(&CSI_VOLUME_SOURCE)).inside(2),
    p("downwardAPI", 16, Object(&DOWNWARD_API_VOLUME_SOURCE)).inside(2),
    p("emptyDir", 2, Object(&EMPTY_DIR_VOLUME_SOURCE)).inside(2),
    p("ephemeral", 29, Object(&EPHEMERAL_VOLUME_SOURCE)).inside(2),
    p("fc", 17, Object(&FC_VOLUME_SOURCE)).inside(2),
    p("flexVolume", 12, Object(&FLEX_VOLUME_SOURCE)).inside(2),
    p("flocker", 15, Object(&FLOCKER_VOLUME_SOURCE)).inside(2),
    p("gcePersistentDisk", 3, Object(&GCE_PERSISTENT_DISK_VOLUME_SOURCE)).inside(2),
    p("gitRepo", 5, Object(&GIT_REPO_VOLUME_SOURCE)).inside(2),
    p("glusterfs", 9, Object(&GLUSTERFS_VOLUME_SOURCE)).inside(2),
    p("hostPath", 1, Object(&HOST_PATH_VOLUME_SOURCE)).inside(2),
    p("image", 30, Object(&IMAGE_VOLUME_SOURCE)).inside(2),
    p("iscsi", 8, Object(&ISCSI_VOLUME_SOURCE)).inside(2), f("name", 1, String),
    p("nfs", 7, Object(&NFS_VOLUME_SOURCE)).inside(2),
    p("persistentVolumeClaim", 10, Object(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE)).inside(2),
    p("photonPersistentDisk", 23, Object(&PHOTON_PERSISTENT_DISK_VOLUME_SOURCE)).inside(2),
    p("portworxVolume", 24, Object(&PORTWORX_VOLUME_SOURCE)).inside(2),
    p("projected", 26, Object(&PROJECTED_VOLUME_SOURCE)).inside(2),
    p("quobyte", 21, Object(&QUOBYTE_VOLUME_SOURCE)).inside(2),
    p("rbd", 11, Object(&RBD_VOLUME_SOURCE)).inside(2),
    p("scaleIO", 25, Object(&SCALE_IO_VOLUME_SOURCE)).inside(2),
    p("secret", 6, Object(&SECRET_VOLUME_SOURCE)).inside(2),
    p("storageos", 27, Object(&STORAGE_OS_VOLUME_SOURCE)).inside(2),
    p("vsphereVolume", 20, Object(&VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE)).inside(2),
]);

pub(super) static HOST_PATH_VOLUME_SOURCE: Type = t("HostPathVolumeSource", &[
    f("path", 1, String), p("type", 2, String),
]);

pub(super) static EMPTY_DIR_VOLUME_SOURCE: Type = t("EmptyDirVolumeSource", &[
    f("medium", 1, String), p("sizeLimit", 2, Quantity),
]);

pub(super) static GCE_PERSISTENT_DISK_VOLUME_SOURCE: Type = t("GCEPersistentDiskVolumeSource", &[
    f("fsType", 2, String), f("partition", 3, Int32), f("pdName", 1, String),
    f("readOnly", 4, Bool),
]);

pub(super) static AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE: Type = t("AWSElasticBlockStoreVolumeSource", &[
    f("fsType", 2, String), f("partition", 3, Int32), f("readOnly", 4, Bool),
    f("volumeID", 1, String),
]);

pub(super) static GIT_REPO_VOLUME_SOURCE: Type = t("GitRepoVolumeSource", &[
    f("directory", 3, String), f("repository", 1, String), f("revision", 2, String),
]);

pub(super) static SECRET_VOLUME_SOURCE: Type = t("SecretVolumeSource", &[
    p("defaultMode", 3, Int32), f("items", 2, List(&Object(&KEY_TO_PATH))), p("optional", 4, Bool),
    f("secretName", 1, String),
]);

pub(super) static KEY_TO_PATH: Type = t("KeyToPath", &[
    f("key", 1, String), p("mode", 3, Int32), f("path", 2, String),
]);

pub(super) static NFS_VOLUME_SOURCE: Type = t("NFSVolumeSource", &[
    f("path", 2, String), f("readOnly", 3, Bool), f("server", 1, String),
]);

pub(super) static ISCSI_VOLUME_SOURCE: Type = t("ISCSIVolumeSource", &[
    f("chapAuthDiscovery", 8, Bool), f("chapAuthSession", 11, Bool), f("fsType", 5, String),
    p("initiatorName", 12, String), f("iqn", 2, String), f("iscsiInterface", 4, String),
    f("lun", 3, Int32), f("portals", 7, List(&String)), f("readOnly", 6, Bool),
    p("secretRef", 10, Object(&LOCAL_OBJECT_REFERENCE)), f("targetPortal", 1, String),
]);

pub(super) static LOCAL_OBJECT_REFERENCE: Type = atomic("LocalObjectReference", &[
    f("name", 1, String),
]);

pub(super) static GLUSTERFS_VOLUME_SOURCE: Type = t("GlusterfsVolumeSource", &[
    f("endpoints", 1, String), f("path", 2, String), f("readOnly", 3, Bool),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Type = t("PersistentVolumeClaimVolumeSource", &[
    f("claimName", 1, String), f("readOnly", 2, Bool),
]);

pub(super) static RBD_VOLUME_SOURCE: Type = t("RBDVolumeSource", &[
    f("fsType", 3, String), f("image", 2, String), f("keyring", 6, String),
    f("monitors", 1, List(&String)), f("pool", 4, String), f("readOnly", 8, Bool),
    p("secretRef", 7, Object(&LOCAL_OBJECT_REFERENCE)), f("user", 5, String),
]);

pub(super) static FLEX_VOLUME_SOURCE: Type = t("FlexVolumeSource", &[
    f("driver", 1, String), f("fsType", 2, String), f("options", 5, Map(&String)),
    f("readOnly", 4, Bool), p("secretRef", 3, Object(&LOCAL_OBJECT_REFERENCE)),
]);

pub(super) static CINDER_VOLUME_SOURCE: Type = t("CinderVolumeSource", &[
    f("fsType", 2, String), f("readOnly", 3, Bool),
    p("secretRef", 4, Object(&LOCAL_OBJECT_REFERENCE)), f("volumeID", 1, String),
]);

pub(super) static CEPH_FS_VOLUME_SOURCE: Type = t("CephFSVolumeSource", &[
    f("monitors", 1, List(&String)), f("path", 2, String), f("readOnly", 6, Bool),
    f("secretFile", 4, String), p("secretRef", 5, Object(&LOCAL_OBJECT_REFERENCE)),
    f("user", 3, String),
]);

pub(super) static FLOCKER_VOLUME_SOURCE: Type = t("FlockerVolumeSource", &[
    f("datasetName", 1, String), f("datasetUUID", 2, String),
]);

pub(super) static DOWNWARD_API_VOLUME_SOURCE: Type = t("DownwardAPIVolumeSource", &[
    p("defaultMode", 2, Int32), f("items", 1, List(&Object(&DOWNWARD_API_VOLUME_FILE))),
]);

pub(super) static DOWNWARD_API_VOLUME_FILE: Type = t("DownwardAPIVolumeFile", &[
    p("fieldRef", 2, Object(&OBJECT_FIELD_SELECTOR)), p("mode", 4, Int32), f("path", 1, String),
    p("resourceFieldRef", 3, Object(&RESOURCE_FIELD_SELECTOR)),
]);

pub(super) static OBJECT_FIELD_SELECTOR: Type = atomic("ObjectFieldSelector", &[
    f("apiVersion", 1, String), f("fieldPath", 2, String),
]);

pub(super) static RESOURCE_FIELD_SELECTOR: Type = atomic("ResourceFieldSelector", &[
    f("containerName", 1, String), f("divisor", 3, Quantity), f("resource", 2, String),
]);

pub(super) static FC_VOLUME_SOURCE: Type = t("FCVolumeSource", &[
    f("fsType", 3, String), p("lun", 2, Int32), f("readOnly", 4, Bool),
    f("targetWWNs", 1, List(&String)), f("wwids", 5, List(&String)),
]);

pub(super) static AZURE_FILE_VOLUME_SOURCE: Type = t("AzureFileVolumeSource", &[
    f("readOnly", 3, Bool), f("secretName", 1, String), f("shareName", 2, String),
]);

pub(super) static CONFIG_MAP_VOLUME_SOURCE: Type = t("ConfigMapVolumeSource", &[
    p("defaultMode", 3, Int32), f("items", 2, List(&Object(&KEY_TO_PATH))),
    f("name", 1, String).inside(1), p("optional", 4, Bool),
]);

pub(super) static VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE: Type = t("VsphereVirtualDiskVolumeSource", &[
    f("fsType", 2, String), f("storagePolicyID", 4, String), f("storagePolicyName", 3, String),
    f("volumePath", 1, String),
]);

pub(super) static QUOBYTE_VOLUME_SOURCE: Type = t("QuobyteVolumeSource", &[
    f("group", 5, String), f("readOnly", 3, Bool), f("registry", 1, String), f("tenant", 6, String),
    f("user", 4, String), f("volume", 2, String),
]);

pub(super) static AZURE_DISK_VOLUME_SOURCE: Type = t("AzureDiskVolumeSource", &[
    p("cachingMode", 3, String), f("diskName", 1, String), f("diskURI", 2, String),
    p("fsType", 4, String), p("kind", 6, String), p("readOnly", 5, Bool),
]);

pub(super) static PHOTON_PERSISTENT_DISK_VOLUME_SOURCE: Type = t("PhotonPersistentDiskVolumeSource", &[
    f("fsType", 2, String), f("pdID", 1, String),
]);

pub(super) static PROJECTED_VOLUME_SOURCE: Type = t("ProjectedVolumeSource", &[
    p("defaultMode", 2, Int32), f("sources", 1, List(&Object(&VOLUME_PROJECTION))),
]);

pub(super) static VOLUME_PROJECTION: Type = t("VolumeProjection", &[
    p("clusterTrustBundle", 5, Object(&CLUSTER_TRUST_BUNDLE_PROJECTION)),
    p("configMap", 3, Object(&CONFIG_MAP_PROJECTION)),
    p("downwardAPI", 2, Object(&DOWNWARD_API_PROJECTION)),
    p("podCertificate", 6, Object(&POD_CERTIFICATE_PROJECTION)),
    p("secret", 1, Object(&SECRET_PROJECTION)),
    p("serviceAccountToken", 4, Object(&SERVICE_ACCOUNT_TOKEN_PROJECTION)),
]);

pub(super) static SECRET_PROJECTION: Type = t("SecretProjection", &[
    f("items", 2, List(&Object(&KEY_TO_PATH))), f("name", 1, String).inside(1),
    p("optional", 4, Bool),
]);

pub(super) static DOWNWARD_API_PROJECTION: Type = t("DownwardAPIProjection", &[
    f("items", 1, List(&Object(&DOWNWARD_API_VOLUME_FILE))),
]);

pub(super) static CONFIG_MAP_PROJECTION: Type = t("ConfigMapProjection", &[
    f("items", 2, List(&Object(&KEY_TO_PATH))), f("name", 1, String).inside(1),
    p("optional", 4, Bool),
]);

pub(super) static SERVICE_ACCOUNT_TOKEN_PROJECTION: Type = t("ServiceAccountTokenProjection", &[
    f("audience", 1, String), p("expirationSeconds", 2, Int64), f("path", 3, String),
]);

pub(super) static CLUSTER_TRUST_BUNDLE_PROJECTION: Type = t("ClusterTrustBundleProjection", &[
    p("labelSelector", 3, Object(&LABEL_SELECTOR)), p("name", 1, String), p("optional", 5, Bool),
    f("path", 4, String), p("signerName", 2, String),
]);

pub(super) static POD_CERTIFICATE_PROJECTION: Type = t("PodCertificateProjection", &[
    f("certificateChainPath", 6, String), f("credentialBundlePath", 4, String),
    f("keyPath", 5, String), f("keyType", 2, String), p("maxExpirationSeconds", 3, Int32),
    f("signerName", 1, String), f("userAnnotations", 7, Map(&String)),
]);

pub(super) static PORTWORX_VOLUME_SOURCE: Type = t("PortworxVolumeSource", &[
    f("fsType", 2, String), f("readOnly", 3, Bool), f("volumeID", 1, String),
]);

pub(super) static SCALE_IO_VOLUME_SOURCE: Type = t("ScaleIOVolumeSource", &[
    f("fsType", 9, String), f("gateway", 1, String), f("protectionDomain", 5, String),
    f("readOnly", 10, Bool), p("secretRef", 3, Object(&LOCAL_OBJECT_REFERENCE)),
    f("sslEnabled", 4, Bool), f("storageMode", 7, String), f("storagePool", 6, String),
    f("system", 2, String), f("volumeName", 8, String),
]);

pub(super) static STORAGE_OS_VOLUME_SOURCE: Type = t("StorageOSVolumeSource", &[
    f("fsType", 3, String), f("readOnly", 4, Bool),
    p("secretRef", 5, Object(&LOCAL_OBJECT_REFERENCE)), f("volumeName", 1, String),
    f("volumeNamespace", 2, String),
]);

pub(super) static CSI_VOLUME_SOURCE: Type = t("CSIVolumeSource", &[
    f("driver", 1, String), p("fsType", 3, String),
    p("nodePublishSecretRef", 5, Object(&LOCAL_OBJECT_REFERENCE)), p("readOnly", 2, Bool),
    f("volumeAttributes", 4, Map(&String)),
]);

pub(super) static EPHEMERAL_VOLUME_SOURCE: Type = t("EphemeralVolumeSource", &[
    p("volumeClaimTemplate", 1, Object(&PERSISTENT_VOLUME_CLAIM_TEMPLATE)),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Type = t("PersistentVolumeClaimTemplate", &[
    f("metadata", 1, Object(&OBJECT_META)), f("spec", 2, Object(&PERSISTENT_VOLUME_CLAIM_SPEC)),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_SPEC: Type = t("PersistentVolumeClaimSpec", &[
    f("accessModes", 1, List(&String)), p("dataSource", 7, Object(&TYPED_LOCAL_OBJECT_REFERENCE)),
    p("dataSourceRef", 8, Object(&TYPED_OBJECT_REFERENCE)),
    f("resources", 2, Object(&VOLUME_RESOURCE_REQUIREMENTS)),
    p("selector", 4, Object(&LABEL_SELECTOR)), p("storageClassName", 5, String),
    p("volumeAttributesClassName", 9, String), p("volumeMode", 6, String),
    f("volumeName", 3, String),
]);

pub(super) static VOLUME_RESOURCE_REQUIREMENTS: Type = t("VolumeResourceRequirements", &[
    f("limits", 1, Map(&Quantity)), f("requests", 2, Map(&Quantity)),
]);

pub(super) static TYPED_LOCAL_OBJECT_REFERENCE: Type = atomic("TypedLocalObjectReference", &[
    p("apiGroup", 1, String), f("kind", 2, String), f("name", 3, String),
]);

pub(super) static TYPED_OBJECT_REFERENCE: Type = t("TypedObjectReference", &[
    p("apiGroup", 1, String), f("kind", 2, String), f("name", 3, String), p("namespace", 4, String),
]);

pub(super) static IMAGE_VOLUME_SOURCE: Type = t("ImageVolumeSource", &[
    f("pullPolicy", 2, String), f("reference", 1, String),
]);

pub(super) static VOLUME_MOUNT: Type = t("VolumeMount", &[
    f("mountPath", 3, String), p("mountPropagation", 5, String), f("name", 1, String),
    f("readOnly", 2, Bool), p("recursiveReadOnly", 7, String), f("subPath", 4, String),
    f("subPathExpr", 6, String),
]);

pub(super) static VOLUME_DEVICE: Type = t("VolumeDevice", &[
    f("devicePath", 2, String), f("name", 1, String),
]);

pub(super) static VOLUME_MOUNT_STATUS: Type = t("VolumeMountStatus", &[
    f("mountPath", 2, String), f("name", 1, String), f("readOnly", 3, Bool),
    p("recursiveReadOnly", 4, String), p("volumeStatus", 5, Object(&VOLUME_STATUS)),
]);

pub(super) static VOLUME_STATUS: Type = t("VolumeStatus", &[
    p("image", 1, Object(&IMAGE_VOLUME_STATUS)),
]);

pub(super) static IMAGE_VOLUME_STATUS: Type = t("ImageVolumeStatus", &[
    f("imageRef", 1, String),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM: Type = t("PersistentVolumeClaim", &[
    f("apiVersion", 0, String), f("kind", 0, String), f("metadata", 1, Object(&OBJECT_META)),
    f("spec", 2, Object(&PERSISTENT_VOLUME_CLAIM_SPEC)),
    f("status", 3, Object(&PERSISTENT_VOLUME_CLAIM_STATUS)),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_STATUS: Type = t("PersistentVolumeClaimStatus", &[
    f("accessModes", 2, List(&String)), f("allocatedResourceStatuses", 7, Map(&String)),
    f("allocatedResources", 5, Map(&Quantity)), f("capacity", 3, Map(&Quantity)),
    f("conditions", 4, List(&Object(&PERSISTENT_VOLUME_CLAIM_CONDITION))).by(&["type"]),
    p("currentVolumeAttributesClassName", 8, String),
    p("modifyVolumeStatus", 9, Object(&MODIFY_VOLUME_STATUS)), f("phase", 1, String),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_CONDITION: Type = t("PersistentVolumeClaimCondition", &[
    f("lastProbeTime", 3, Time), f("lastTransitionTime", 4, Time), f("message", 6, String),
    f("reason", 5, String), f("status", 2, String), f("type", 1, String),
]);

pub(super) static MODIFY_VOLUME_STATUS: Type = t("ModifyVolumeStatus", &[
    f("status", 2, String), f("targetVolumeAttributesClassName", 1, String),
]);
