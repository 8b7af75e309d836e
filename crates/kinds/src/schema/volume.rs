//! Types of group `volume`, written by `xtask/codegen` from the published definitions of
//! Kubernetes 1.36; change the generator, not this file.

use super::{
    Shape::Bool, Shape::Int32, Shape::List, Shape::Map, Shape::Object, Shape::Quantity,
    Shape::String, Type, core::CLUSTER_TRUST_BUNDLE_PROJECTION, core::CONFIG_MAP_PROJECTION,
    core::DOWNWARD_API_PROJECTION, core::KEY_TO_PATH, core::LOCAL_OBJECT_REFERENCE,
    core::OBJECT_FIELD_SELECTOR, core::POD_CERTIFICATE_PROJECTION, core::RESOURCE_FIELD_SELECTOR,
    core::SECRET_PROJECTION, core::SERVICE_ACCOUNT_TOKEN_PROJECTION,
    core::TYPED_LOCAL_OBJECT_REFERENCE, core::TYPED_OBJECT_REFERENCE, f, meta::LABEL_SELECTOR,
    meta::OBJECT_META,
};

pub(super) static ATTACHED_VOLUME: Type = Type { name: "AttachedVolume", fields: &[
    f("devicePath", String), f("name", String),
] };

pub(super) static VOLUME_DEVICE: Type = Type { name: "VolumeDevice", fields: &[
    f("devicePath", String), f("name", String),
] };

pub(super) static VOLUME_MOUNT: Type = Type { name: "VolumeMount", fields: &[
    f("mountPath", String), f("mountPropagation", String), f("name", String), f("readOnly", Bool),
    f("recursiveReadOnly", String), f("subPath", String), f("subPathExpr", String),
] };

pub(super) static VOLUME: Type = Type { name: "Volume", fields: &[
    f("awsElasticBlockStore", Object(&AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE)),
    f("azureDisk", Object(&AZURE_DISK_VOLUME_SOURCE)),
    f("azureFile", Object(&AZURE_FILE_VOLUME_SOURCE)), f("cephfs", Object(&CEPH_FS_VOLUME_SOURCE)),
    f("cinder", Object(&CINDER_VOLUME_SOURCE)), f("configMap", Object(&CONFIG_MAP_VOLUME_SOURCE)),
    f("csi", Object(&CSI_VOLUME_SOURCE)), f("downwardAPI", Object(&DOWNWARD_API_VOLUME_SOURCE)),
    f("emptyDir", Object(&EMPTY_DIR_VOLUME_SOURCE)),
    f("ephemeral", Object(&EPHEMERAL_VOLUME_SOURCE)), f("fc", Object(&FC_VOLUME_SOURCE)),
    f("flexVolume", Object(&FLEX_VOLUME_SOURCE)), f("flocker", Object(&FLOCKER_VOLUME_SOURCE)),
    f("gcePersistentDisk", Object(&GCE_PERSISTENT_DISK_VOLUME_SOURCE)),
    f("gitRepo", Object(&GIT_REPO_VOLUME_SOURCE)), f("glusterfs", Object(&GLUSTERFS_VOLUME_SOURCE)),
    f("hostPath", Object(&HOST_PATH_VOLUME_SOURCE)), f("image", Object(&IMAGE_VOLUME_SOURCE)),
    f("iscsi", Object(&ISCSI_VOLUME_SOURCE)), f("name", String),
    f("nfs", Object(&NFS_VOLUME_SOURCE)),
    f("persistentVolumeClaim", Object(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE)),
    f("photonPersistentDisk", Object(&PHOTON_PERSISTENT_DISK_VOLUME_SOURCE)),
    f("portworxVolume", Object(&PORTWORX_VOLUME_SOURCE)),
    f("projected", Object(&PROJECTED_VOLUME_SOURCE)), f("quobyte", Object(&QUOBYTE_VOLUME_SOURCE)),
    f("rbd", Object(&RBD_VOLUME_SOURCE)), f("scaleIO", Object(&SCALE_IO_VOLUME_SOURCE)),
    f("secret", Object(&SECRET_VOLUME_SOURCE)), f("storageos", Object(&STORAGE_OS_VOLUME_SOURCE)),
    f("vsphereVolume", Object(&VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE)),
] };

pub(super) static AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE: Type = Type { name: "AWSElasticBlockStoreVolumeSource", fields: &[
    f("fsType", String), f("partition", Int32), f("readOnly", Bool), f("volumeID", String),
] };

pub(super) static AZURE_DISK_VOLUME_SOURCE: Type = Type { name: "AzureDiskVolumeSource", fields: &[
    f("cachingMode", String), f("diskName", String), f("diskURI", String), f("fsType", String),
    f("kind", String), f("readOnly", Bool),
] };

pub(super) static AZURE_FILE_VOLUME_SOURCE: Type = Type { name: "AzureFileVolumeSource", fields: &[
    f("readOnly", Bool), f("secretName", String), f("shareName", String),
] };

pub(super) static CEPH_FS_VOLUME_SOURCE: Type = Type { name: "CephFSVolumeSource", fields: &[
    f("monitors", List(&String)), f("path", String), f("readOnly", Bool), f("secretFile", String),
    f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)), f("user", String),
] };

pub(super) static CINDER_VOLUME_SOURCE: Type = Type { name: "CinderVolumeSource", fields: &[
    f("fsType", String), f("readOnly", Bool), f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)),
    f("volumeID", String),
] };

pub(super) static CONFIG_MAP_VOLUME_SOURCE: Type = Type { name: "ConfigMapVolumeSource", fields: &[
    f("defaultMode", Int32), f("items", List(&Object(&KEY_TO_PATH))), f("name", String),
    f("optional", Bool),
] };

pub(super) static CSI_VOLUME_SOURCE: Type = Type { name: "CSIVolumeSource", fields: &[
    f("driver", String), f("fsType", String),
    f("nodePublishSecretRef", Object(&LOCAL_OBJECT_REFERENCE)), f("readOnly", Bool),
    f("volumeAttributes", Map(&String)),
] };

pub(super) static DOWNWARD_API_VOLUME_SOURCE: Type = Type { name: "DownwardAPIVolumeSource", fields: &[
    f("defaultMode", Int32), f("items", List(&Object(&DOWNWARD_API_VOLUME_FILE))),
] };

pub(super) static DOWNWARD_API_VOLUME_FILE: Type = Type { name: "DownwardAPIVolumeFile", fields: &[
    f("fieldRef", Object(&OBJECT_FIELD_SELECTOR)), f("mode", Int32), f("path", String),
    f("resourceFieldRef", Object(&RESOURCE_FIELD_SELECTOR)),
] };

pub(super) static EMPTY_DIR_VOLUME_SOURCE: Type = Type { name: "EmptyDirVolumeSource", fields: &[
    f("medium", String), f("sizeLimit", Quantity),
] };

pub(super) static EPHEMERAL_VOLUME_SOURCE: Type = Type { name: "EphemeralVolumeSource", fields: &[
    f("volumeClaimTemplate", Object(&PERSISTENT_VOLUME_CLAIM_TEMPLATE)),
] };

pub(super) static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Type = Type { name: "PersistentVolumeClaimTemplate", fields: &[
    f("metadata", Object(&OBJECT_META)), f("spec", Object(&PERSISTENT_VOLUME_CLAIM_SPEC)),
] };

pub(super) static PERSISTENT_VOLUME_CLAIM_SPEC: Type = Type { name: "PersistentVolumeClaimSpec", fields: &[
    f("accessModes", List(&String)), f("dataSource", Object(&TYPED_LOCAL_OBJECT_REFERENCE)),
    f("dataSourceRef", Object(&TYPED_OBJECT_REFERENCE)),
    f("resources", Object(&VOLUME_RESOURCE_REQUIREMENTS)), f("selector", Object(&LABEL_SELECTOR)),
    f("storageClassName", String), f("volumeAttributesClassName", String), f("volumeMode", String),
    f("volumeName", String),
] };

pub(super) static VOLUME_RESOURCE_REQUIREMENTS: Type = Type { name: "VolumeResourceRequirements", fields: &[
    f("limits", Map(&Quantity)), f("requests", Map(&Quantity)),
] };

pub(super) static FC_VOLUME_SOURCE: Type = Type { name: "FCVolumeSource", fields: &[
    f("fsType", String), f("lun", Int32), f("readOnly", Bool), f("targetWWNs", List(&String)),
    f("wwids", List(&String)),
] };

pub(super) static FLEX_VOLUME_SOURCE: Type = Type { name: "FlexVolumeSource", fields: &[
    f("driver", String), f("fsType", String), f("options", Map(&String)), f("readOnly", Bool),
    f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)),
] };

pub(super) static FLOCKER_VOLUME_SOURCE: Type = Type { name: "FlockerVolumeSource", fields: &[
    f("datasetName", String), f("datasetUUID", String),
] };

pub(super) static GCE_PERSISTENT_DISK_VOLUME_SOURCE: Type = Type { name: "GCEPersistentDiskVolumeSource", fields: &[
    f("fsType", String), f("partition", Int32), f("pdName", String), f("readOnly", Bool),
] };

pub(super) static GIT_REPO_VOLUME_SOURCE: Type = Type { name: "GitRepoVolumeSource", fields: &[
    f("directory", String), f("repository", String), f("revision", String),
] };

pub(super) static GLUSTERFS_VOLUME_SOURCE: Type = Type { name: "GlusterfsVolumeSource", fields: &[
    f("endpoints", String), f("path", String), f("readOnly", Bool),
] };

pub(super) static HOST_PATH_VOLUME_SOURCE: Type = Type { name: "HostPathVolumeSource", fields: &[
    f("path", String), f("type", String),
] };

pub(super) static IMAGE_VOLUME_SOURCE: Type = Type { name: "ImageVolumeSource", fields: &[
    f("pullPolicy", String), f("reference", String),
] };

pub(super) static ISCSI_VOLUME_SOURCE: Type = Type { name: "ISCSIVolumeSource", fields: &[
    f("chapAuthDiscovery", Bool), f("chapAuthSession", Bool), f("fsType", String),
    f("initiatorName", String), f("iqn", String), f("iscsiInterface", String), f("lun", Int32),
    f("portals", List(&String)), f("readOnly", Bool),
    f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)), f("targetPortal", String),
] };

pub(super) static NFS_VOLUME_SOURCE: Type = Type { name: "NFSVolumeSource", fields: &[
    f("path", String), f("readOnly", Bool), f("server", String),
] };

pub(super) static PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Type = Type { name: "PersistentVolumeClaimVolumeSource", fields: &[
    f("claimName", String), f("readOnly", Bool),
] };

pub(super) static PHOTON_PERSISTENT_DISK_VOLUME_SOURCE: Type = Type { name: "PhotonPersistentDiskVolumeSource", fields: &[
    f("fsType", String), f("pdID", String),
] };

pub(super) static PORTWORX_VOLUME_SOURCE: Type = Type { name: "PortworxVolumeSource", fields: &[
    f("fsType", String), f("readOnly", Bool), f("volumeID", String),
] };

pub(super) static PROJECTED_VOLUME_SOURCE: Type = Type { name: "ProjectedVolumeSource", fields: &[
    f("defaultMode", Int32), f("sources", List(&Object(&VOLUME_PROJECTION))),
] };

pub(super) static VOLUME_PROJECTION: Type = Type { name: "VolumeProjection", fields: &[
    f("clusterTrustBundle", Object(&CLUSTER_TRUST_BUNDLE_PROJECTION)),
    f("configMap", Object(&CONFIG_MAP_PROJECTION)),
    f("downwardAPI", Object(&DOWNWARD_API_PROJECTION)),
    f("podCertificate", Object(&POD_CERTIFICATE_PROJECTION)),
    f("secret", Object(&SECRET_PROJECTION)),
    f("serviceAccountToken", Object(&SERVICE_ACCOUNT_TOKEN_PROJECTION)),
] };

pub(super) static QUOBYTE_VOLUME_SOURCE: Type = Type { name: "QuobyteVolumeSource", fields: &[
    f("group", String), f("readOnly", Bool), f("registry", String), f("tenant", String),
    f("user", String), f("volume", String),
] };

pub(super) static RBD_VOLUME_SOURCE: Type = Type { name: "RBDVolumeSource", fields: &[
    f("fsType", String), f("image", String), f("keyring", String), f("monitors", List(&String)),
    f("pool", String), f("readOnly", Bool), f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)),
    f("user", String),
] };

pub(super) static SCALE_IO_VOLUME_SOURCE: Type = Type { name: "ScaleIOVolumeSource", fields: &[
    f("fsType", String), f("gateway", String), f("protectionDomain", String), f("readOnly", Bool),
    f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)), f("sslEnabled", Bool),
    f("storageMode", String), f("storagePool", String), f("system", String),
    f("volumeName", String),
] };

pub(super) static SECRET_VOLUME_SOURCE: Type = Type { name: "SecretVolumeSource", fields: &[
    f("defaultMode", Int32), f("items", List(&Object(&KEY_TO_PATH))), f("optional", Bool),
    f("secretName", String),
] };

pub(super) static STORAGE_OS_VOLUME_SOURCE: Type = Type { name: "StorageOSVolumeSource", fields: &[
    f("fsType", String), f("readOnly", Bool), f("secretRef", Object(&LOCAL_OBJECT_REFERENCE)),
    f("volumeName", String), f("volumeNamespace", String),
] };

pub(super) static VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE: Type = Type { name: "VsphereVirtualDiskVolumeSource", fields: &[
    f("fsType", String), f("storagePolicyID", String), f("storagePolicyName", String),
    f("volumePath", String),
] };

pub(super) static VOLUME_MOUNT_STATUS: Type = Type { name: "VolumeMountStatus", fields: &[
    f("mountPath", String), f("name", String), f("readOnly", Bool), f("recursiveReadOnly", String),
    f("volumeStatus", Object(&VOLUME_STATUS)),
] };

pub(super) static VOLUME_STATUS: Type = Type { name: "VolumeStatus", fields: &[
    f("image", Object(&IMAGE_VOLUME_STATUS)),
] };

pub(super) static IMAGE_VOLUME_STATUS: Type = Type { name: "ImageVolumeStatus", fields: &[
    f("imageRef", String),
] };
