"""An OCI layout in which images are made of those that are there."""
import hashlib
import json
import os

NAME = "org.opencontainers.image.ref.name"


class Layout:
    def __init__(self, directory):
        self.directory = directory

    def path(self, digest):
        return os.path.join(self.directory, "blobs", "sha256", digest.removeprefix("sha256:"))

    def put(self, data, media_type):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with open(self.path(digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def read(self, digest):
        with open(self.path(digest), "rb") as file:
            return json.load(file)

    def index(self):
        with open(os.path.join(self.directory, "index.json"), "rb") as file:
            return json.load(file)

    def image(self, tag):
        """The manifest and the configuration of the image of this tag."""
        [found] = [one for one in self.index()["manifests"] if one["annotations"][NAME] == tag]
        manifest = self.read(found["digest"])
        return manifest, self.read(manifest["config"]["digest"])

    def add(self, tag, manifest, config):
        """Tags an image of this manifest, with this configuration in the place of the one that it has."""
        manifest["config"] = self.put(json.dumps(config).encode(), manifest["config"]["mediaType"])
        made = self.put(json.dumps(manifest).encode(), manifest["mediaType"])
        index = self.index()
        index["manifests"].append({**made, "annotations": {NAME: tag}})
        with open(os.path.join(self.directory, "index.json"), "w") as file:
            json.dump(index, file)
